;; Asks the same name twice. Its first address is a good one, the second is that of the metadata service.
(module
  (import "wasi:http/types@0.2.12" "[constructor]fields" (func $fields (result i32)))
  (import "wasi:http/types@0.2.12" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
  (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-authority"
    (func $set_authority (param i32 i32 i32 i32) (result i32)))
  (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-scheme"
    (func $set_scheme (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-path-with-query"
    (func $set_path (param i32 i32 i32 i32) (result i32)))
  (import "wasi:http/outgoing-handler@0.2.12" "handle" (func $handle (param i32 i32 i32 i32)))
  (import "wasi:http/types@0.2.12" "[method]future-incoming-response.subscribe"
    (func $subscribe (param i32) (result i32)))
  (import "wasi:http/types@0.2.12" "[method]future-incoming-response.get" (func $get (param i32 i32)))
  (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "/")
  (global $heap (mut i32) (i32.const 1024))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.get $heap)
    (global.set $heap (i32.add (global.get $heap) (i32.add (local.get 3) (i32.const 8)))))
  ;; Traps when there is no answer.
  (func $ask (param $authority i32) (param $bytes i32)
    (local $request i32) (local $future i32)
    (local.set $request (call $request (call $fields)))
    (drop (call $set_scheme (local.get $request) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)))
    (drop (call $set_authority (local.get $request) (i32.const 1) (local.get $authority) (local.get $bytes)))
    (drop (call $set_path (local.get $request) (i32.const 1) (i32.const 16) (i32.const 1)))
    (call $handle (local.get $request) (i32.const 0) (i32.const 0) (i32.const 64))
    (if (i32.load8_u (i32.const 64)) (then (unreachable)))
    (local.set $future (i32.load (i32.const 72)))
    (call $block (call $subscribe (local.get $future)))
    (call $get (local.get $future) (i32.const 64))
    (if (i32.load8_u (i32.const 80)) (then (unreachable))))
  ;; The parameters are the authority.
  (func (export "quantum:plugin/actions@1.0.0#run")
    (param i32 i32) (param $authority i32) (param $bytes i32) (result i32)
    (call $ask (local.get $authority) (local.get $bytes))
    (call $ask (local.get $authority) (local.get $bytes))
    (unreachable)))
