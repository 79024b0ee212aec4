;; Decodes the text of a module, in place, and returns the number of its bytes. decode.js describes the text.
;;
;; The text begins at address 0 and ends at the first zero. A browser has compiled this before its interpreter would
;; have got through a tenth of the text.
(module
  (memory (export "m") 2)
  (func (export "d") (result i32)
    (local $value i32)
    (local $to i32)
    (local $from i32)
    (local $is_last i32)
    (loop $next
      ;; What the characters before have left, and this one.
      (local.set $value (i32.add (local.get $value) (i32.load8_u (local.get $from))))
      ;; The capitals from H to X are rare in modules, and stand for the bytes from 0 to 16, which are the most frequent.
      (i32.store8
        (local.get $to)
        (select
          (i32.sub (local.get $value) (i32.const 72))
          (local.get $value)
          (i32.lt_u (i32.sub (local.get $value) (i32.const 72)) (i32.const 17))))
      ;; The last four characters, { | } ~, are the beginning of a code, and leave a multiple of their value.
      (local.set $to
        (i32.add
          (local.get $to)
          (local.tee $is_last (i32.lt_u (i32.load8_u (local.get $from)) (i32.const 123)))))
      (local.set $value
        (select (i32.const 0) (i32.mul (local.get $value) (i32.const 59)) (local.get $is_last)))
      (br_if $next (i32.load8_u (local.tee $from (i32.add (local.get $from) (i32.const 1))))))
    (local.get $to)))
