;; Comparisons of one vector with many, 16 bytes at a time. scripts/assemble-kernels.mjs assembles it into scan-kernel-code.ts.
(module
  (memory (export "memory") 1)
  ;; Distances of rows of sign bits from one. $rows to $end: rows of $stride bytes (a multiple of 16) beside each other; $query: one of them; $out: 16 bits a row.
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
        (br $row))))

  ;; Adds one dimension's products to the sums of rows. $values to $end: the dimension of 32 rows in 16 bytes, four bits each, the low ones
  ;; for the first 16 rows; $weight: what the query has there, -127 to 127; $sums: 16 bits a row, which must not overflow.
  (func (export "addProducts") (param $values i32) (param $end i32) (param $weight i32) (param $sums i32)
    (local $by v128) (local $some v128) (local $low v128) (local $high v128)
    (local.set $by (i8x16.splat (local.get $weight)))
    (block $done
      (loop $rows
        (br_if $done (i32.ge_u (local.get $values) (local.get $end)))
        (local.set $some (v128.load (local.get $values)))
        (local.set $low (i8x16.shr_s (i8x16.shl (local.get $some) (i32.const 4)) (i32.const 4)))
        (local.set $high (i8x16.shr_s (local.get $some) (i32.const 4)))
        (v128.store (local.get $sums)
          (i16x8.add (v128.load (local.get $sums)) (i16x8.extmul_low_i8x16_s (local.get $low) (local.get $by))))
        (v128.store offset=16 (local.get $sums)
          (i16x8.add (v128.load offset=16 (local.get $sums)) (i16x8.extmul_high_i8x16_s (local.get $low) (local.get $by))))
        (v128.store offset=32 (local.get $sums)
          (i16x8.add (v128.load offset=32 (local.get $sums)) (i16x8.extmul_low_i8x16_s (local.get $high) (local.get $by))))
        (v128.store offset=48 (local.get $sums)
          (i16x8.add (v128.load offset=48 (local.get $sums)) (i16x8.extmul_high_i8x16_s (local.get $high) (local.get $by))))
        (local.set $values (i32.add (local.get $values) (i32.const 16)))
        (local.set $sums (i32.add (local.get $sums) (i32.const 64)))
        (br $rows)))))
