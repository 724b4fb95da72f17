;; Distances of rows of sign bits from one, 16 bytes at a time. `npm run kernels` assembles it into hamming-kernel-code.ts.
(module
  (memory (export "memory") 1)
  ;; $rows to $end: rows of $stride bytes (a multiple of 16) beside each other; $query: one of them; $out: 16 bits a row.
  (func (export "distances")
    (param $rows i32) (param $end i32) (param $stride i32) (param $query i32) (param $out i32)
    (local $sum v128) (local $at i32) (local $stop i32)
    (block $done
      (loop $row
        (br_if $done (i32.ge_u (local.get $rows) (local.get $end)))
        (local.set $sum (v128.const i64x2 0 0))
        (local.set $at (local.get $query))
        (local.set $stop (i32.add (local.get $rows) (local.get $stride)))
        (loop $part
          (local.set $sum
            (i16x8.add
              (local.get $sum)
              (i16x8.extadd_pairwise_i8x16_u
                (i8x16.popcnt (v128.xor (v128.load (local.get $rows)) (v128.load (local.get $at)))))))
          (local.set $at (i32.add (local.get $at) (i32.const 16)))
          (local.set $rows (i32.add (local.get $rows) (i32.const 16)))
          (br_if $part (i32.lt_u (local.get $rows) (local.get $stop))))
        (local.set $sum (i32x4.extadd_pairwise_i16x8_u (local.get $sum)))
        (i32.store16
          (local.get $out)
          (i32.add
            (i32.add (i32x4.extract_lane 0 (local.get $sum)) (i32x4.extract_lane 1 (local.get $sum)))
            (i32.add (i32x4.extract_lane 2 (local.get $sum)) (i32x4.extract_lane 3 (local.get $sum)))))
        (local.set $out (i32.add (local.get $out) (i32.const 2)))
        (br $row)))))
