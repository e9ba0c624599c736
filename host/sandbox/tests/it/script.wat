;; A guest that does what its parameters say: one operation a line, a letter and its operand. Most work on the buffer B.
;; A call that the host refuses ends the run with the failure that the host told. At the end B is the result.
;;
;;   B           + text   2 double   n line break   0 clear
;;   words       l log   f NAME log as a field   g progress   S print   E CODE fail   D fail with details
;;               X PLACE panic
;;   secrets     p NAME placeholder   v NAME value   u NAME basic, user B   m NAME signature of B, in hex
;;   key-value   G KEY get   s KEY set   t KEY set for a second   c KEY set if unchanged since the last answer
;;               a KEY set if absent   d KEY delete
;;   artifacts   w TYPE create   W write   F NAME finish   r REF open   R REF open at 2   i MAX read   I read all
;;               q REF find   z close the reader   Z close the writer
;;   requests    H NAME header B   h header named B   A 0AUTHORITY (1: TLS) a new request   @ authority B
;;               M METHOD   ~ method B   Q path and query B   O open the body   > send
;;               C write B   K COUNT write so much of B   . end the body   < status and body of the answer
;;               L where its Location http://…/ sends
(module
  (import "quantum:log/log@1.0.0" "write" (func $log (param i32 i32 i32 i32 i32)))
  (import "quantum:log/log@1.0.0" "progress" (func $progress (param i32 i32 i32)))
  (import "quantum:log/log@1.0.0" "panicked" (func $panicked (param i32 i32 i32 i32)))
  (import "quantum:secrets/secrets@1.0.0" "placeholder" (func $placeholder (param i32 i32 i32)))
  (import "quantum:secrets/secrets@1.0.0" "basic" (func $basic (param i32 i32 i32 i32 i32)))
  (import "quantum:secrets/secrets@1.0.0" "hmac-sha256" (func $hmac (param i32 i32 i32 i32 i32)))
  (import "quantum:secrets/reveal@1.0.0" "reveal" (func $reveal (param i32 i32 i32)))
  (import "quantum:kv/kv@1.0.0" "get" (func $get (param i32 i32 i32)))
  (import "quantum:kv/kv@1.0.0" "set" (func $set (param i32 i32 i32 i32 i32 i64 i32)))
  (import "quantum:kv/kv@1.0.0" "compare-and-set"
    (func $compare (param i32 i32 i32 i64 i32 i32 i32 i64 i32)))
  (import "quantum:kv/kv@1.0.0" "delete" (func $delete (param i32 i32 i32)))
  (import "quantum:artifacts/artifacts@1.0.0" "stat" (func $stat (param i32 i32 i32)))
  (import "quantum:artifacts/artifacts@1.0.0" "open" (func $open (param i32 i32 i64 i32)))
  (import "quantum:artifacts/artifacts@1.0.0" "create" (func $create (param i32 i32 i32 i32)))
  (import "quantum:artifacts/artifacts@1.0.0" "[method]reader.read" (func $read (param i32 i32 i32)))
  (import "quantum:artifacts/artifacts@1.0.0" "[method]writer.write" (func $write (param i32 i32 i32 i32)))
  (import "quantum:artifacts/artifacts@1.0.0" "[method]writer.finish" (func $finish (param i32 i32 i32 i32 i32)))
  (import "quantum:artifacts/artifacts@1.0.0" "[resource-drop]reader" (func $drop_reader (param i32)))
  (import "quantum:artifacts/artifacts@1.0.0" "[resource-drop]writer" (func $drop_writer (param i32)))
  (import "wasi:http/types@0.2.12" "[constructor]fields" (func $fields (result i32)))
  (import "wasi:http/types@0.2.12" "[method]fields.append" (func $append_field (param i32 i32 i32 i32 i32 i32)))
  (import "wasi:http/types@0.2.12" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
  (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-method"
    (func $set_method (param i32 i32 i32 i32) (result i32)))
  (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-authority"
    (func $set_authority (param i32 i32 i32 i32) (result i32)))
  (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-scheme"
    (func $set_scheme (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-path-with-query"
    (func $set_path (param i32 i32 i32 i32) (result i32)))
  (import "wasi:http/types@0.2.12" "[method]outgoing-request.body" (func $body (param i32 i32)))
  (import "wasi:http/types@0.2.12" "[method]outgoing-body.write" (func $body_stream (param i32 i32)))
  (import "wasi:http/types@0.2.12" "[static]outgoing-body.finish" (func $finish_body (param i32 i32 i32 i32)))
  (import "wasi:http/outgoing-handler@0.2.12" "handle" (func $handle (param i32 i32 i32 i32)))
  (import "wasi:http/types@0.2.12" "[method]future-incoming-response.subscribe"
    (func $subscribe (param i32) (result i32)))
  (import "wasi:http/types@0.2.12" "[method]future-incoming-response.get" (func $response_of (param i32 i32)))
  (import "wasi:http/types@0.2.12" "[method]incoming-response.status" (func $status (param i32) (result i32)))
  (import "wasi:http/types@0.2.12" "[method]incoming-response.headers" (func $headers_of (param i32) (result i32)))
  (import "wasi:http/types@0.2.12" "[method]fields.get" (func $get_field (param i32 i32 i32 i32)))
  (import "wasi:http/types@0.2.12" "[method]incoming-response.consume" (func $consume (param i32 i32)))
  (import "wasi:http/types@0.2.12" "[method]incoming-body.stream" (func $stream (param i32 i32)))
  (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
  (import "wasi:io/streams@0.2.12" "[method]input-stream.blocking-read" (func $read_stream (param i32 i64 i32)))
  (import "wasi:io/streams@0.2.12" "[method]output-stream.blocking-write-and-flush"
    (func $print (param i32 i32 i32 i32)))
  (import "wasi:io/streams@0.2.12" "[resource-drop]output-stream" (func $drop_stream (param i32)))
  (import "wasi:cli/stdout@0.2.12" "get-stdout" (func $stdout (result i32)))

  (memory (export "memory") 64)
  (data (i32.const 1024) "line")
  (data (i32.const 1040) "boom")
  (data (i32.const 1056) "http")
  (data (i32.const 1072) "none")
  (data (i32.const 1088) "yes")
  (data (i32.const 1096) "no")
  (data (i32.const 1104) "\n")
  (data (i32.const 1112) "/")
  (data (i32.const 1120) "0123456789abcdef")
  (data (i32.const 1136) "location")

  (global $heap (mut i32) (i32.const 0x300000))
  ;; Bytes of B, which begins at 0x100000.
  (global $b (mut i32) (i32.const 0))
  (global $headers (mut i32) (i32.const 0))
  (global $asked (mut i32) (i32.const 0))
  (global $out (mut i32) (i32.const 0))
  (global $out_stream (mut i32) (i32.const 0))
  (global $future (mut i32) (i32.const 0))
  (global $answer (mut i32) (i32.const 0))
  (global $reader (mut i32) (i32.const 0))
  (global $writer (mut i32) (i32.const 0))
  (global $revision (mut i64) (i64.const 0))

  (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
    (global.set $heap (i32.add (local.get $at) (local.get 3)))
    (block $fits (loop $more
      (br_if $fits (i32.le_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
      (br_if $more (i32.ne (memory.grow (i32.const 64)) (i32.const -1)))
      (unreachable)))
    (local.get $at))

  (func $append (param $at i32) (param $len i32)
    (memory.copy (i32.add (i32.const 0x100000) (global.get $b)) (local.get $at) (local.get $len))
    (global.set $b (i32.add (global.get $b) (local.get $len))))
  (func $clear (global.set $b (i32.const 0)))
  ;; Before a call: an error without a third field has a zero there.
  (func $fresh (memory.fill (i32.const 4096) (i32.const 0) (i32.const 96)))
  (func $digit (param $n i32)
    (call $append (i32.add (i32.const 1120) (local.get $n)) (i32.const 1)))

  (func $ok (result i32)
    (memory.fill (i32.const 8192) (i32.const 0) (i32.const 96))
    (i32.store (i32.const 8200) (i32.const 0x100000))
    (i32.store (i32.const 8204) (global.get $b))
    (i32.const 8192))
  (func $fail (param $kind i32) (param $code i32) (param $code_len i32) (param $at i32) (param $len i32) (result i32)
    (memory.fill (i32.const 8192) (i32.const 0) (i32.const 96))
    (i32.store (i32.const 8192) (i32.const 1))
    (i32.store (i32.const 8200) (local.get $kind))
    (i32.store (i32.const 8208) (local.get $code))
    (i32.store (i32.const 8212) (local.get $code_len))
    (i32.store (i32.const 8216) (local.get $at))
    (i32.store (i32.const 8220) (local.get $len))
    (i32.const 8192))
  ;; `http` and a number of three digits.
  (func $fail_http (param $n i32) (result i32)
    (call $clear)
    (call $digit (i32.div_u (local.get $n) (i32.const 100)))
    (call $digit (i32.rem_u (i32.div_u (local.get $n) (i32.const 10)) (i32.const 10)))
    (call $digit (i32.rem_u (local.get $n) (i32.const 10)))
    (call $fail (i32.const 0) (i32.const 1056) (i32.const 4) (i32.const 0x100000) (global.get $b)))
  ;; What the host told, when the call failed: its record begins at $at. 0: it did not.
  (func $bad (param $at i32) (result i32)
    (if (i32.eqz (i32.load8_u (i32.const 4096))) (then (return (i32.const 0))))
    (call $fail (i32.load8_u (i32.add (local.get $at) (i32.const 16)))
      (i32.load (local.get $at)) (i32.load (i32.add (local.get $at) (i32.const 4)))
      (i32.load (i32.add (local.get $at) (i32.const 8))) (i32.load (i32.add (local.get $at) (i32.const 12)))))

  (func $print_all (param $stream i32)
    (local $at i32) (local $len i32)
    (local.set $at (i32.const 0x100000))
    (loop $more
      (local.set $len (i32.sub (i32.add (i32.const 0x100000) (global.get $b)) (local.get $at)))
      (if (i32.gt_u (local.get $len) (i32.const 4096)) (then (local.set $len (i32.const 4096))))
      (call $print (local.get $stream) (local.get $at) (local.get $len) (i32.const 4096))
      (local.set $at (i32.add (local.get $at) (local.get $len)))
      (br_if $more (i32.lt_u (local.get $at) (i32.add (i32.const 0x100000) (global.get $b)))))
    (call $clear))

  (func $number (param $at i32) (param $len i32) (result i32)
    (local $n i32)
    (block $end (loop $more
      (br_if $end (i32.eqz (local.get $len)))
      (local.set $n (i32.add (i32.mul (local.get $n) (i32.const 10))
        (i32.sub (i32.load8_u (local.get $at)) (i32.const 48))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $len (i32.sub (local.get $len) (i32.const 1)))
      (br $more)))
    (local.get $n))

  (func $hex (param $at i32) (param $len i32)
    (block $end (loop $more
      (br_if $end (i32.eqz (local.get $len)))
      (call $digit (i32.shr_u (i32.load8_u (local.get $at)) (i32.const 4)))
      (call $digit (i32.and (i32.load8_u (local.get $at)) (i32.const 15)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $len (i32.sub (local.get $len) (i32.const 1)))
      (br $more))))

  ;; Status, a blank, and the body.
  (func $await (result i32)
    (local $response i32) (local $stream i32) (local $heap i32)
    (call $block (call $subscribe (global.get $future)))
    (call $response_of (global.get $future) (i32.const 4096))
    (if (i32.load8_u (i32.const 4112)) (then (return (call $fail_http (i32.load8_u (i32.const 4120))))))
    (local.set $response (i32.load (i32.const 4120)))
    (global.set $answer (local.get $response))
    (call $consume (local.get $response) (i32.const 4096))
    (call $stream (i32.load (i32.const 4100)) (i32.const 4096))
    (local.set $stream (i32.load (i32.const 4100)))
    (call $digit (i32.div_u (call $status (local.get $response)) (i32.const 100)))
    (call $digit (i32.rem_u (i32.div_u (call $status (local.get $response)) (i32.const 10)) (i32.const 10)))
    (call $digit (i32.rem_u (call $status (local.get $response)) (i32.const 10)))
    (local.set $heap (global.get $heap))
    (loop $more
      (global.set $heap (local.get $heap))
      (call $read_stream (local.get $stream) (i64.const 65536) (i32.const 4096))
      (if (i32.eqz (i32.load8_u (i32.const 4096))) (then
        ;; A body larger than B is read and not kept.
        (if (i32.lt_u (global.get $b) (i32.const 0x100000)) (then
          (call $append (i32.load (i32.const 4100)) (i32.load (i32.const 4104)))))
        (br $more))))
    (if (i32.eqz (i32.load8_u (i32.const 4100))) (then (return (call $fail_http (i32.const 999)))))
    (i32.const 0))

  (func $read_all (result i32)
    (local $bad i32)
    (block $end (loop $more
      (call $fresh)
      (call $read (global.get $reader) (i32.const 65536) (i32.const 4096))
      (if (local.tee $bad (call $bad (i32.const 4100))) (then (return (local.get $bad))))
      (br_if $end (i32.eqz (i32.load (i32.const 4104))))
      (call $append (i32.load (i32.const 4100)) (i32.load (i32.const 4104)))
      (br $more)))
    (i32.const 0))

  (func $log_field (param $name i32) (param $name_len i32)
    (i32.store (i32.const 4096) (local.get $name))
    (i32.store (i32.const 4100) (local.get $name_len))
    (i32.store (i32.const 4104) (i32.const 0x100000))
    (i32.store (i32.const 4108) (global.get $b))
    (call $log (i32.const 2) (i32.const 1024) (i32.const 4) (i32.const 4096) (i32.const 1))
    (call $clear))

  ;; A string that the host answered with is appended. 0, or the failure.
  (func $take (result i32)
    (local $bad i32)
    (if (local.tee $bad (call $bad (i32.const 4100))) (then (return (local.get $bad))))
    (call $append (i32.load (i32.const 4100)) (i32.load (i32.const 4104)))
    (i32.const 0))
  (func $take_revision (result i32)
    (local $bad i32)
    (if (local.tee $bad (call $bad (i32.const 4104))) (then (return (local.get $bad))))
    (global.set $revision (i64.load (i32.const 4104)))
    (call $clear)
    (i32.const 0))
  (func $take_compared (result i32)
    (local $bad i32)
    (if (local.tee $bad (call $bad (i32.const 4104))) (then (return (local.get $bad))))
    (call $clear)
    (if (i32.load8_u (i32.const 4104))
      (then (global.set $revision (i64.load (i32.const 4112))) (call $append (i32.const 1088) (i32.const 3)))
      (else (call $append (i32.const 1096) (i32.const 2))))
    (i32.const 0))

  (func $kv (param $op i32) (param $o i32) (param $len i32) (result i32)
    (local $bad i32)
    (call $fresh)
    (if (i32.eq (local.get $op) 'G') (then
      (call $get (local.get $o) (local.get $len) (i32.const 4096))
      (if (local.tee $bad (call $bad (i32.const 4104))) (then (return (local.get $bad))))
      (if (i32.load8_u (i32.const 4104))
        (then
          (global.set $revision (i64.load (i32.const 4120)))
          (call $append (i32.load (i32.const 4112)) (i32.load (i32.const 4116))))
        (else (call $append (i32.const 1072) (i32.const 4))))))
    (if (i32.eq (local.get $op) 's') (then
      (call $set (local.get $o) (local.get $len) (i32.const 0x100000) (global.get $b)
        (i32.const 0) (i64.const 0) (i32.const 4096))
      (return (call $take_revision))))
    (if (i32.eq (local.get $op) 't') (then
      (call $set (local.get $o) (local.get $len) (i32.const 0x100000) (global.get $b)
        (i32.const 1) (i64.const 1000) (i32.const 4096))
      (return (call $take_revision))))
    (if (i32.eq (local.get $op) 'c') (then
      (call $compare (local.get $o) (local.get $len) (i32.const 1) (global.get $revision)
        (i32.const 0x100000) (global.get $b) (i32.const 0) (i64.const 0) (i32.const 4096))
      (return (call $take_compared))))
    (if (i32.eq (local.get $op) 'a') (then
      (call $compare (local.get $o) (local.get $len) (i32.const 0) (i64.const 0)
        (i32.const 0x100000) (global.get $b) (i32.const 0) (i64.const 0) (i32.const 4096))
      (return (call $take_compared))))
    (if (i32.eq (local.get $op) 'd') (then
      (call $delete (local.get $o) (local.get $len) (i32.const 4096))
      (return (call $bad (i32.const 4100)))))
    (i32.const 0))

  (func $artifact (param $op i32) (param $o i32) (param $len i32) (result i32)
    (local $bad i32)
    (call $fresh)
    (if (i32.eq (local.get $op) 'w') (then
      (call $create (i32.ne (local.get $len) (i32.const 0)) (local.get $o) (local.get $len) (i32.const 4096))
      (if (local.tee $bad (call $bad (i32.const 4100))) (then (return (local.get $bad))))
      (global.set $writer (i32.load (i32.const 4100)))))
    (if (i32.eq (local.get $op) 'W') (then
      (call $write (global.get $writer) (i32.const 0x100000) (global.get $b) (i32.const 4096))
      (call $clear)
      (return (call $bad (i32.const 4100)))))
    (if (i32.eq (local.get $op) 'F') (then
      (call $finish (global.get $writer) (i32.ne (local.get $len) (i32.const 0)) (local.get $o) (local.get $len)
        (i32.const 4096))
      (if (local.tee $bad (call $bad (i32.const 4104))) (then (return (local.get $bad))))
      (call $append (i32.load (i32.const 4104)) (i32.load (i32.const 4108)))))
    (if (i32.or (i32.eq (local.get $op) 'r') (i32.eq (local.get $op) 'R')) (then
      (call $open (local.get $o) (local.get $len)
        (select (i64.const 2) (i64.const 0) (i32.eq (local.get $op) 'R')) (i32.const 4096))
      (if (local.tee $bad (call $bad (i32.const 4100))) (then (return (local.get $bad))))
      (global.set $reader (i32.load (i32.const 4100)))))
    (if (i32.eq (local.get $op) 'i') (then
      (call $read (global.get $reader) (call $number (local.get $o) (local.get $len)) (i32.const 4096))
      (return (call $take))))
    (if (i32.eq (local.get $op) 'I') (then (return (call $read_all))))
    (if (i32.eq (local.get $op) 'q') (then
      (call $stat (local.get $o) (local.get $len) (i32.const 4096))
      (if (local.tee $bad (call $bad (i32.const 4104))) (then (return (local.get $bad))))
      (if (i32.load8_u (i32.const 4104))
        (then (call $append (i32.load (i32.const 4112)) (i32.load (i32.const 4116))))
        (else (call $append (i32.const 1072) (i32.const 4))))))
    (if (i32.eq (local.get $op) 'z') (then (call $drop_reader (global.get $reader))))
    (if (i32.eq (local.get $op) 'Z') (then (call $drop_writer (global.get $writer))))
    (i32.const 0))

  (func $secret (param $op i32) (param $o i32) (param $len i32) (result i32)
    (local $bad i32)
    (call $fresh)
    (if (i32.eq (local.get $op) 'p') (then
      (call $placeholder (local.get $o) (local.get $len) (i32.const 4096))
      (return (call $take))))
    (if (i32.eq (local.get $op) 'v') (then
      (call $reveal (local.get $o) (local.get $len) (i32.const 4096))
      (return (call $take))))
    (if (i32.eq (local.get $op) 'u') (then
      (call $basic (i32.const 0x100000) (global.get $b) (local.get $o) (local.get $len) (i32.const 4096))
      (call $clear)
      (return (call $take))))
    (if (i32.eq (local.get $op) 'm') (then
      (call $hmac (local.get $o) (local.get $len) (i32.const 0x100000) (global.get $b) (i32.const 4096))
      (if (local.tee $bad (call $bad (i32.const 4100))) (then (return (local.get $bad))))
      (call $clear)
      (call $hex (i32.load (i32.const 4100)) (i32.load (i32.const 4104)))))
    (i32.const 0))

  (func $http (param $op i32) (param $o i32) (param $len i32) (result i32)
    (if (i32.eq (local.get $op) 'H') (then
      (if (i32.eqz (global.get $headers)) (then (global.set $headers (call $fields))))
      (call $append_field (global.get $headers) (local.get $o) (local.get $len)
        (i32.const 0x100000) (global.get $b) (i32.const 4096))
      (call $clear)))
    (if (i32.eq (local.get $op) 'A') (then
      (if (i32.eqz (global.get $headers)) (then (global.set $headers (call $fields))))
      (global.set $asked (call $request (global.get $headers)))
      (global.set $headers (i32.const 0))
      (drop (call $set_scheme (global.get $asked) (i32.const 1)
        (i32.sub (i32.load8_u (local.get $o)) (i32.const 48)) (i32.const 0) (i32.const 0)))
      (drop (call $set_authority (global.get $asked) (i32.const 1)
        (i32.add (local.get $o) (i32.const 1)) (i32.sub (local.get $len) (i32.const 1))))
      (drop (call $set_path (global.get $asked) (i32.const 1) (i32.const 1112) (i32.const 1)))))
    (if (i32.eq (local.get $op) 'M') (then
      (drop (call $set_method (global.get $asked) (i32.const 9) (local.get $o) (local.get $len)))))
    ;; The method, the authority, and the name of a header are B.
    (if (i32.eq (local.get $op) '~') (then
      (drop (call $set_method (global.get $asked) (i32.const 9) (i32.const 0x100000) (global.get $b)))
      (call $clear)))
    (if (i32.eq (local.get $op) '@') (then
      (drop (call $set_authority (global.get $asked) (i32.const 1) (i32.const 0x100000) (global.get $b)))
      (call $clear)))
    (if (i32.eq (local.get $op) 'h') (then
      (if (i32.eqz (global.get $headers)) (then (global.set $headers (call $fields))))
      (call $append_field (global.get $headers) (i32.const 0x100000) (global.get $b)
        (i32.const 1040) (i32.const 4) (i32.const 4096))
      (call $clear)))
    (if (i32.eq (local.get $op) 'Q') (then
      (drop (call $set_path (global.get $asked) (i32.const 1) (i32.const 0x100000) (global.get $b)))
      (call $clear)))
    (if (i32.eq (local.get $op) 'O') (then
      (call $body (global.get $asked) (i32.const 4096))
      (global.set $out (i32.load (i32.const 4100)))
      (call $body_stream (global.get $out) (i32.const 4096))
      (global.set $out_stream (i32.load (i32.const 4100)))))
    (if (i32.eq (local.get $op) '>') (then
      (call $handle (global.get $asked) (i32.const 0) (i32.const 0) (i32.const 4096))
      (if (i32.load8_u (i32.const 4096)) (then (return (call $fail_http (i32.load8_u (i32.const 4104))))))
      (global.set $future (i32.load (i32.const 4104)))))
    (if (i32.eq (local.get $op) 'C') (then (call $print_all (global.get $out_stream))))
    ;; Only so many bytes of B; the rest stays.
    (if (i32.eq (local.get $op) 'K') (then
      (local.set $len (call $number (local.get $o) (local.get $len)))
      (call $print (global.get $out_stream) (i32.const 0x100000) (local.get $len) (i32.const 4096))
      (global.set $b (i32.sub (global.get $b) (local.get $len)))
      (memory.copy (i32.const 0x100000) (i32.add (i32.const 0x100000) (local.get $len)) (global.get $b))))
    (if (i32.eq (local.get $op) '.') (then
      (call $drop_stream (global.get $out_stream))
      (call $finish_body (global.get $out) (i32.const 0) (i32.const 0) (i32.const 4096))))
    (if (i32.eq (local.get $op) '<') (then (return (call $await))))
    ;; Without `http://` in front and `/` behind.
    (if (i32.eq (local.get $op) 'L') (then
      (call $get_field (call $headers_of (global.get $answer)) (i32.const 1136) (i32.const 8) (i32.const 4096))
      (local.set $o (i32.load (i32.load (i32.const 4096))))
      (local.set $len (i32.load (i32.add (i32.load (i32.const 4096)) (i32.const 4))))
      (call $append (i32.add (local.get $o) (i32.const 7)) (i32.sub (local.get $len) (i32.const 8)))))
    (i32.const 0))

  (func $say (param $op i32) (param $o i32) (param $len i32) (result i32)
    (if (i32.eq (local.get $op) '+') (then (call $append (local.get $o) (local.get $len))))
    (if (i32.eq (local.get $op) '2') (then (call $append (i32.const 0x100000) (global.get $b))))
    (if (i32.eq (local.get $op) 'n') (then (call $append (i32.const 1104) (i32.const 1))))
    (if (i32.eq (local.get $op) '0') (then (call $clear)))
    (if (i32.eq (local.get $op) 'l') (then
      (call $log (i32.const 2) (i32.const 0x100000) (global.get $b) (i32.const 0) (i32.const 0))
      (call $clear)))
    (if (i32.eq (local.get $op) 'f') (then (call $log_field (local.get $o) (local.get $len))))
    (if (i32.eq (local.get $op) 'g') (then
      (call $progress (i32.const 50) (i32.const 0x100000) (global.get $b))
      (call $clear)))
    (if (i32.eq (local.get $op) 'S') (then (call $print_all (call $stdout))))
    (if (i32.eq (local.get $op) 'E') (then
      (return (call $fail (i32.const 0) (local.get $o) (local.get $len) (i32.const 0x100000) (global.get $b)))))
    (if (i32.eq (local.get $op) 'D') (then
      (drop (call $fail (i32.const 0) (i32.const 1056) (i32.const 4) (i32.const 1040) (i32.const 4)))
      (i32.store (i32.const 8224) (i32.const 1))
      (i32.store (i32.const 8228) (i32.const 0x100000))
      (i32.store (i32.const 8232) (global.get $b))
      (return (i32.const 8192))))
    (if (i32.eq (local.get $op) 'X') (then
      (call $panicked (i32.const 0x100000) (global.get $b) (local.get $o) (local.get $len))
      (unreachable)))
    (i32.const 0))

  (func $step (param $op i32) (param $o i32) (param $len i32) (result i32)
    (local $end i32)
    (if (local.tee $end (call $say (local.get $op) (local.get $o) (local.get $len)))
      (then (return (local.get $end))))
    (if (local.tee $end (call $secret (local.get $op) (local.get $o) (local.get $len)))
      (then (return (local.get $end))))
    (if (local.tee $end (call $kv (local.get $op) (local.get $o) (local.get $len)))
      (then (return (local.get $end))))
    (if (local.tee $end (call $artifact (local.get $op) (local.get $o) (local.get $len)))
      (then (return (local.get $end))))
    (call $http (local.get $op) (local.get $o) (local.get $len)))

  (func (export "quantum:plugin/actions@1.0.0#run")
    (param $action i32) (param $action_len i32) (param $text i32) (param $text_len i32) (result i32)
    (local $at i32) (local $end i32) (local $line_end i32) (local $done i32)
    (local.set $at (local.get $text))
    (local.set $end (i32.add (local.get $text) (local.get $text_len)))
    (loop $lines
      (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (call $ok))))
      (local.set $line_end (local.get $at))
      (block $found (loop $scan
        (br_if $found (i32.ge_u (local.get $line_end) (local.get $end)))
        (br_if $found (i32.eq (i32.load8_u (local.get $line_end)) (i32.const 10)))
        (local.set $line_end (i32.add (local.get $line_end) (i32.const 1)))
        (br $scan)))
      (local.set $done (call $step (i32.load8_u (local.get $at)) (i32.add (local.get $at) (i32.const 1))
        (i32.sub (i32.sub (local.get $line_end) (local.get $at)) (i32.const 1))))
      (if (local.get $done) (then (return (local.get $done))))
      (local.set $at (i32.add (local.get $line_end) (i32.const 1)))
      (br $lines))
    (unreachable)))
