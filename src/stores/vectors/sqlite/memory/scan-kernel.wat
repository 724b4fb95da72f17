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
        (br $rows))))

  ;; Collects the rows whose score is above one. $sums to $end: 16 bits a row, 8 rows at a time; $measures: 32 bits a row, what its sum counts;
  ;; $row: the number of the first; $out: a row's number and its score, 32 bits each. Returns the address behind the last one.
  (func (export "collectAbove")
    (param $sums i32) (param $end i32) (param $measures i32) (param $least f32) (param $row i32) (param $out i32) (result i32)
    (local $some v128) (local $low v128) (local $high v128) (local $limit v128) (local $found i32) (local $at i32) (local $place i32)
    (local.set $limit (f32x4.splat (local.get $least)))
    (block $done
      (loop $rows
        (br_if $done (i32.ge_u (local.get $sums) (local.get $end)))
        (local.set $some (v128.load (local.get $sums)))
        (local.set $low
          (f32x4.mul (f32x4.convert_i32x4_s (i32x4.extend_low_i16x8_s (local.get $some))) (v128.load (local.get $measures))))
        (local.set $high
          (f32x4.mul (f32x4.convert_i32x4_s (i32x4.extend_high_i16x8_s (local.get $some))) (v128.load offset=16 (local.get $measures))))
        (local.set $found
          (i32.or
            (i32x4.bitmask (f32x4.gt (local.get $low) (local.get $limit)))
            (i32.shl (i32x4.bitmask (f32x4.gt (local.get $high) (local.get $limit))) (i32.const 4))))
        (block $none
          (br_if $none (i32.eqz (local.get $found)))
          (loop $each
            (local.set $at (i32.ctz (local.get $found)))
            (local.set $place (i32.add (local.get $sums) (i32.shl (local.get $at) (i32.const 1))))
            (i32.store (local.get $out) (i32.add (local.get $row) (local.get $at)))
            (f32.store offset=4
              (local.get $out)
              (f32.mul
                (f32.convert_i32_s (i32.load16_s (local.get $place)))
                (f32.load (i32.add (local.get $measures) (i32.shl (local.get $at) (i32.const 2))))))
            (local.set $out (i32.add (local.get $out) (i32.const 8)))
            (local.set $found (i32.and (local.get $found) (i32.sub (local.get $found) (i32.const 1))))
            (br_if $each (local.get $found))))
        (local.set $sums (i32.add (local.get $sums) (i32.const 16)))
        (local.set $measures (i32.add (local.get $measures) (i32.const 32)))
        (local.set $row (i32.add (local.get $row) (i32.const 8)))
        (br $rows)))
    (local.get $out))

  ;; Collects the rows whose distance is below one. $distances to $end: 16 bits a row, 8 rows at a time; $row: the number of the first; $out: a
  ;; row's number and its distance, 32 bits each. Returns the address behind the last one.
  (func (export "collectBelow")
    (param $distances i32) (param $end i32) (param $most i32) (param $row i32) (param $out i32) (result i32)
    (local $limit v128) (local $found i32) (local $at i32)
    (local.set $limit (i16x8.splat (local.get $most)))
    (block $done
      (loop $rows
        (br_if $done (i32.ge_u (local.get $distances) (local.get $end)))
        (local.set $found (i16x8.bitmask (i16x8.lt_u (v128.load (local.get $distances)) (local.get $limit))))
        (block $none
          (br_if $none (i32.eqz (local.get $found)))
          (loop $each
            (local.set $at (i32.ctz (local.get $found)))
            (i32.store (local.get $out) (i32.add (local.get $row) (local.get $at)))
            (i32.store offset=4
              (local.get $out)
              (i32.load16_u (i32.add (local.get $distances) (i32.shl (local.get $at) (i32.const 1)))))
            (local.set $out (i32.add (local.get $out) (i32.const 8)))
            (local.set $found (i32.and (local.get $found) (i32.sub (local.get $found) (i32.const 1))))
            (br_if $each (local.get $found))))
        (local.set $distances (i32.add (local.get $distances) (i32.const 16)))
        (local.set $row (i32.add (local.get $row) (i32.const 8)))
        (br $rows)))
    (local.get $out)))
