// thinkd_gemm_neon: the sums of four rows of activations and four columns of weights, by products of 16 bits.
//
//   x0  panel    [blocks]  quants [4 columns][32],  scales [4],  those of four others     288 bytes
//   x1  x        [blocks]  quants [4 rows][32],  -M*d [4 rows][4],  d [4]                 208 bytes
//   x2  blocks, at least 1
//   x3  rows     [4] pointers to 4 sums each
//   x4  starts   [4] M = 1.5 * 2^23
//   s0  factor of the sums at the end
//
//   v0 -v7       weights: v(2c) is k 0-15 of column c, v(2c+1) k 16-31
//   v8, v9       activations of an even row          v10, v11  of the odd row after it
//   v12, v13     -M*d of both rows, then sum*d
//   v16-v19      16-bit sums of the even row with columns 0-3, four products a lane: 4 * 15 * 127 fits, and after
//                adding pairs twice 4 * 7620 = 30480 still does
//   v20-v23      of the odd row
//   v24, v25     M + sums of both rows
//   v26, v27     scales of the weights, of the rows
//   v28-v31      sums of floats, a row each

.text
.p2align 6
.global thinkd_gemm_neon
.hidden thinkd_gemm_neon
.type thinkd_gemm_neon, %function

// The first products of both rows with the low halves of the columns' first lines, then three times more.
.macro thinkd_neon_products
    smull v16.8h, v0.8b, v8.8b
    smull v17.8h, v2.8b, v8.8b
    smull v18.8h, v4.8b, v8.8b
    smull v19.8h, v6.8b, v8.8b
    smull v20.8h, v0.8b, v10.8b
    smull v21.8h, v2.8b, v10.8b
    smull v22.8h, v4.8b, v10.8b
    smull v23.8h, v6.8b, v10.8b
    smlal2 v16.8h, v0.16b, v8.16b
    smlal2 v17.8h, v2.16b, v8.16b
    smlal2 v18.8h, v4.16b, v8.16b
    smlal2 v19.8h, v6.16b, v8.16b
    smlal2 v20.8h, v0.16b, v10.16b
    smlal2 v21.8h, v2.16b, v10.16b
    smlal2 v22.8h, v4.16b, v10.16b
    smlal2 v23.8h, v6.16b, v10.16b
    smlal v16.8h, v1.8b, v9.8b
    smlal v17.8h, v3.8b, v9.8b
    smlal v18.8h, v5.8b, v9.8b
    smlal v19.8h, v7.8b, v9.8b
    smlal v20.8h, v1.8b, v11.8b
    smlal v21.8h, v3.8b, v11.8b
    smlal v22.8h, v5.8b, v11.8b
    smlal v23.8h, v7.8b, v11.8b
    smlal2 v16.8h, v1.16b, v9.16b
    smlal2 v17.8h, v3.16b, v9.16b
    smlal2 v18.8h, v5.16b, v9.16b
    smlal2 v19.8h, v7.16b, v9.16b
    smlal2 v20.8h, v1.16b, v11.16b
    smlal2 v21.8h, v3.16b, v11.16b
    smlal2 v22.8h, v5.16b, v11.16b
    smlal2 v23.8h, v7.16b, v11.16b
.endm

// Adds what the four registers from v\a on hold of a row to its sums: v\sum, by way of v\start and v\c.
.macro thinkd_neon_add a, b, c, d, start, offset, row, sum
    addp v\a\().8h, v\a\().8h, v\b\().8h
    addp v\c\().8h, v\c\().8h, v\d\().8h
    addp v\a\().8h, v\a\().8h, v\c\().8h
    sadalp v\start\().4s, v\a\().8h
    fmla v\offset\().4s, v\start\().4s, v27.s[\row]
    fmla v\sum\().4s, v\offset\().4s, v26.4s
.endm

thinkd_gemm_neon:
    stp d8, d9, [sp, #-48]!
    stp d10, d11, [sp, #16]
    stp d12, d13, [sp, #32]
    fmov w9, s0
    ldp x5, x6, [x3]
    ldp x7, x8, [x3, #16]
    ldr q28, [x5]
    ldr q29, [x6]
    ldr q30, [x7]
    ldr q31, [x8]

1:  ldp q0, q1, [x0]
    ldp q8, q9, [x1]
    ldp q2, q3, [x0, #32]
    ldp q4, q5, [x0, #64]
    ldp q6, q7, [x0, #96]
    ldp q10, q11, [x1, #32]
    ldr q26, [x0, #128]
    ldr q27, [x1, #192]
    thinkd_neon_products
    ldr q24, [x4]
    ldr q25, [x4]
    ldr q12, [x1, #128]
    ldr q13, [x1, #144]
    ldp q8, q9, [x1, #64]
    ldp q10, q11, [x1, #96]
    thinkd_neon_add 16, 17, 18, 19, 24, 12, 0, 28
    thinkd_neon_add 20, 21, 22, 23, 25, 13, 1, 29
    thinkd_neon_products
    ldr q24, [x4]
    ldr q25, [x4]
    ldr q12, [x1, #160]
    ldr q13, [x1, #176]
    thinkd_neon_add 16, 17, 18, 19, 24, 12, 2, 30
    thinkd_neon_add 20, 21, 22, 23, 25, 13, 3, 31
    add x0, x0, #288
    add x1, x1, #208
    subs x2, x2, #1
    b.ne 1b

    fmov s0, w9
.irp n, 28, 29, 30, 31
    fmul v\n\().4s, v\n\().4s, v0.s[0]
.endr
    str q28, [x5]
    str q29, [x6]
    str q30, [x7]
    str q31, [x8]
    ldp d10, d11, [sp, #16]
    ldp d12, d13, [sp, #32]
    ldp d8, d9, [sp], #48
    ret
.size thinkd_gemm_neon, . - thinkd_gemm_neon
