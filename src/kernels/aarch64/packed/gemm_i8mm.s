// thinkd_gemm_i8mm: the sums of four rows of activations and eight columns of weights, by 2 x 8 x 2 products.
//
//   x0  panel    [blocks]  quants [4 of k/8][8 columns][8],  scales [4 pairs of columns] s, t, s, t      320 bytes
//   x1  x        [blocks]  quants [4 of k/8][4 rows][8],  -M*d [2 pairs] d, d, e, e,  d [2 pairs]        192 bytes
//   x2  blocks, at least 1
//   x3  rows     [4] pointers to 8 sums each
//   x4  starts   [8] M = 1.5 * 2^23
//   s0  factor of the sums at the end
//
//   v0 -v7       sums of a block: M + integer;  v(4p+q) is the pair p of rows with the pair q of columns:
//                first row with first and second column, second row with both
//   v8 -v15      sums of floats, in the same order
//   v16-v23      activations: v(16+2g+p) is k 8g-8g+7 of the pair p of rows
//   v24-v31      weights of eight elements of k: v24-v27 for even g, v28-v31 for odd g
//
// At the end of a block v16-v23 are -M*d, then sum*d; v24-v27 the scales of the weights, v28, v29 those of the rows.

.text
.arch_extension i8mm
.p2align 6
.global thinkd_gemm_i8mm
.hidden thinkd_gemm_i8mm
.type thinkd_gemm_i8mm, %function

// Eight elements of k of the rows v\x, v\x1 with the columns v\a-v\d.
.macro thinkd_i8mm_step x, x1, a, b, c, d
    smmla v0.4s, v\x\().16b, v\a\().16b
    smmla v1.4s, v\x\().16b, v\b\().16b
    smmla v2.4s, v\x\().16b, v\c\().16b
    smmla v3.4s, v\x\().16b, v\d\().16b
    smmla v4.4s, v\x1\().16b, v\a\().16b
    smmla v5.4s, v\x1\().16b, v\b\().16b
    smmla v6.4s, v\x1\().16b, v\c\().16b
    smmla v7.4s, v\x1\().16b, v\d\().16b
.endm

thinkd_gemm_i8mm:
    stp d8, d9, [sp, #-64]!
    stp d10, d11, [sp, #16]
    stp d12, d13, [sp, #32]
    stp d14, d15, [sp, #48]
    fmov w9, s0
    ldp x5, x6, [x3]
    ldp x7, x8, [x3, #16]
    ldp q16, q17, [x5]
    ldp q18, q19, [x6]
    ldp q20, q21, [x7]
    ldp q22, q23, [x8]
    zip1 v8.2d, v16.2d, v18.2d
    zip2 v9.2d, v16.2d, v18.2d
    zip1 v10.2d, v17.2d, v19.2d
    zip2 v11.2d, v17.2d, v19.2d
    zip1 v12.2d, v20.2d, v22.2d
    zip2 v13.2d, v20.2d, v22.2d
    zip1 v14.2d, v21.2d, v23.2d
    zip2 v15.2d, v21.2d, v23.2d

1:  ldp q24, q25, [x0]
    ldp q16, q17, [x1]
    ldp q0, q1, [x4]
    ldp q26, q27, [x0, #32]
    ldp q2, q3, [x4]
    ldp q4, q5, [x4]
    ldp q6, q7, [x4]
    ldp q28, q29, [x0, #64]
    ldp q30, q31, [x0, #96]
    ldp q18, q19, [x1, #32]
    thinkd_i8mm_step 16, 17, 24, 25, 26, 27
    ldp q24, q25, [x0, #128]
    ldp q26, q27, [x0, #160]
    ldp q20, q21, [x1, #64]
    thinkd_i8mm_step 18, 19, 28, 29, 30, 31
    ldp q28, q29, [x0, #192]
    ldp q30, q31, [x0, #224]
    ldp q22, q23, [x1, #96]
    thinkd_i8mm_step 20, 21, 24, 25, 26, 27
    ldp q24, q25, [x0, #256]
    ldp q26, q27, [x0, #288]
    ldr q16, [x1, #128]
    ldr q17, [x1, #128]
    ldr q18, [x1, #128]
    ldr q19, [x1, #128]
    thinkd_i8mm_step 22, 23, 28, 29, 30, 31
    ldp q28, q29, [x1, #160]
    ldr q20, [x1, #144]
    ldr q21, [x1, #144]
    ldr q22, [x1, #144]
    ldr q23, [x1, #144]
    add x0, x0, #320
    add x1, x1, #192
    fmla v16.4s, v0.4s, v28.4s
    fmla v17.4s, v1.4s, v28.4s
    fmla v18.4s, v2.4s, v28.4s
    fmla v19.4s, v3.4s, v28.4s
    fmla v20.4s, v4.4s, v29.4s
    fmla v21.4s, v5.4s, v29.4s
    fmla v22.4s, v6.4s, v29.4s
    fmla v23.4s, v7.4s, v29.4s
    subs x2, x2, #1
    fmla v8.4s, v16.4s, v24.4s
    fmla v9.4s, v17.4s, v25.4s
    fmla v10.4s, v18.4s, v26.4s
    fmla v11.4s, v19.4s, v27.4s
    fmla v12.4s, v20.4s, v24.4s
    fmla v13.4s, v21.4s, v25.4s
    fmla v14.4s, v22.4s, v26.4s
    fmla v15.4s, v23.4s, v27.4s
    b.ne 1b

    fmov s0, w9
.irp n, 8, 9, 10, 11, 12, 13, 14, 15
    fmul v\n\().4s, v\n\().4s, v0.s[0]
.endr
    zip1 v16.2d, v8.2d, v9.2d
    zip1 v17.2d, v10.2d, v11.2d
    zip2 v18.2d, v8.2d, v9.2d
    zip2 v19.2d, v10.2d, v11.2d
    zip1 v20.2d, v12.2d, v13.2d
    zip1 v21.2d, v14.2d, v15.2d
    zip2 v22.2d, v12.2d, v13.2d
    zip2 v23.2d, v14.2d, v15.2d
    stp q16, q17, [x5]
    stp q18, q19, [x6]
    stp q20, q21, [x7]
    stp q22, q23, [x8]
    ldp d10, d11, [sp, #16]
    ldp d12, d13, [sp, #32]
    ldp d14, d15, [sp, #48]
    ldp d8, d9, [sp], #64
    ret
.size thinkd_gemm_i8mm, . - thinkd_gemm_i8mm
