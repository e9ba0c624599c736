;; Gives back a result that lies outside of its memory.
(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "quantum:plugin/actions@1.0.0#run") (param i32 i32 i32 i32) (result i32) (i32.const -64)))
