// thinkd_gemm_dotprod: the sums of four rows of activations and eight columns of weights, by the dot product.
//
//   x0  panel    [blocks]  quants [8 of k/4][8 columns][4],  scales [8]                   288 bytes
//   x1  x        [blocks]  quants [4 rows][32],  -M*d [4 rows][4],  d [4]                 208 bytes
//   x2  blocks, at least 1
//   x3  rows     [4] pointers to 8 sums each
//   x4  starts   [8] M = 1.5 * 2^23
//   s0  factor of the sums at the end
//
//   v0 -v7       sums of a block: M + integer;  v(2r) columns 0-3 of row r, v(2r+1) columns 4-7
//   v8 -v15      sums of floats, in the same order
//   v16-v19      activations of row 0-3, k 0-15      v20-v23  k 16-31
//   v24-v31      weights: two registers for four elements of k, loaded three steps ahead
//
// At the end of a block v16-v23 are -M*d, then sum*d; v24, v25 the scales of the weights, v26 those of the rows.

.text
.arch_extension dotprod
.p2align 6
.global thinkd_gemm_dotprod
.hidden thinkd_gemm_dotprod
.type thinkd_gemm_dotprod, %function

// One row's eight sums of a step: lane \lane of its activations with the weights v\w, v(\w + 1).
.macro thinkd_dotprod_row low, high, x, lane, w, w1
    sdot v\low\().4s, v\w\().16b, v\x\().4b[\lane]
    sdot v\high\().4s, v\w1\().16b, v\x\().4b[\lane]
.endm

// A step of all rows; in its middle the weights of three steps later are loaded, unless there is no more.
.macro thinkd_dotprod_step lane, x0, x1, x2, x3, w, w1, next, next1, offset=-1
    thinkd_dotprod_row 0, 1, \x0, \lane, \w, \w1
    thinkd_dotprod_row 2, 3, \x1, \lane, \w, \w1
.if \offset >= 0
    ldp q\next, q\next1, [x0, #\offset]
.endif
    thinkd_dotprod_row 4, 5, \x2, \lane, \w, \w1
    thinkd_dotprod_row 6, 7, \x3, \lane, \w, \w1
.endm

thinkd_gemm_dotprod:
    stp d8, d9, [sp, #-64]!
    stp d10, d11, [sp, #16]
    stp d12, d13, [sp, #32]
    stp d14, d15, [sp, #48]
    fmov w9, s0
    ldp x5, x6, [x3]
    ldp x7, x8, [x3, #16]
    ldp q8, q9, [x5]
    ldp q10, q11, [x6]
    ldp q12, q13, [x7]
    ldp q14, q15, [x8]

1:  ldp q24, q25, [x0]
    ldp q16, q20, [x1]
    ldp q0, q1, [x4]
    ldp q17, q21, [x1, #32]
    ldp q2, q3, [x4]
    ldp q18, q22, [x1, #64]
    ldp q4, q5, [x4]
    ldp q19, q23, [x1, #96]
    ldp q6, q7, [x4]
    ldp q26, q27, [x0, #32]
    ldp q28, q29, [x0, #64]
    thinkd_dotprod_step 0, 16, 17, 18, 19, 24, 25, 30, 31, 96
    thinkd_dotprod_step 1, 16, 17, 18, 19, 26, 27, 24, 25, 128
    thinkd_dotprod_step 2, 16, 17, 18, 19, 28, 29, 26, 27, 160
    thinkd_dotprod_step 3, 16, 17, 18, 19, 30, 31, 28, 29, 192
    thinkd_dotprod_step 0, 20, 21, 22, 23, 24, 25, 30, 31, 224
    thinkd_dotprod_step 1, 20, 21, 22, 23, 26, 27, 24, 25, 256   // the scales
    thinkd_dotprod_step 2, 20, 21, 22, 23, 28, 29
    ldr q16, [x1, #128]
    ldr q17, [x1, #128]
    ldr q18, [x1, #144]
    ldr q19, [x1, #144]
    thinkd_dotprod_step 3, 20, 21, 22, 23, 30, 31
    ldr q20, [x1, #160]
    ldr q21, [x1, #160]
    ldr q22, [x1, #176]
    ldr q23, [x1, #176]
    ldr q26, [x1, #192]
    add x0, x0, #288
    add x1, x1, #208
    fmla v16.4s, v0.4s, v26.s[0]
    fmla v17.4s, v1.4s, v26.s[0]
    fmla v18.4s, v2.4s, v26.s[1]
    fmla v19.4s, v3.4s, v26.s[1]
    fmla v20.4s, v4.4s, v26.s[2]
    fmla v21.4s, v5.4s, v26.s[2]
    fmla v22.4s, v6.4s, v26.s[3]
    fmla v23.4s, v7.4s, v26.s[3]
    subs x2, x2, #1
    fmla v8.4s, v16.4s, v24.4s
    fmla v9.4s, v17.4s, v25.4s
    fmla v10.4s, v18.4s, v24.4s
    fmla v11.4s, v19.4s, v25.4s
    fmla v12.4s, v20.4s, v24.4s
    fmla v13.4s, v21.4s, v25.4s
    fmla v14.4s, v22.4s, v24.4s
    fmla v15.4s, v23.4s, v25.4s
    b.ne 1b

    fmov s0, w9
.irp n, 8, 9, 10, 11, 12, 13, 14, 15
    fmul v\n\().4s, v\n\().4s, v0.s[0]
.endr
    stp q8, q9, [x5]
    stp q10, q11, [x6]
    stp q12, q13, [x7]
    stp q14, q15, [x8]
    ldp d10, d11, [sp, #16]
    ldp d12, d13, [sp, #32]
    ldp d14, d15, [sp, #48]
    ldp d8, d9, [sp], #64
    ret
.size thinkd_gemm_dotprod, . - thinkd_gemm_dotprod
