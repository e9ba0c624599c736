;; Declares a table of ten million functions, 80 MB before its first instruction.
(module
  (memory (export "memory") 1)
  (table 10000000 funcref)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "quantum:plugin/actions@1.0.0#run") (param i32 i32 i32 i32) (result i32) (unreachable)))
