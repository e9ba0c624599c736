;; Can send requests, and its manifest says nothing of it.
(module
  (import "wasi:http/types@0.2.12" "[constructor]fields" (func $fields (result i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "quantum:plugin/actions@1.0.0#run") (param i32 i32 i32 i32) (result i32)
    (drop (call $fields))
    (unreachable)))
