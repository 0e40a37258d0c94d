// thinkd_gemv_neon, thinkd_gemv_neon_offsets: the sums of one row of activations and a tile of eight columns of
// weights, by products of 16 bits; the second for blocks that end in offsets.
//
//   x0  tile     [blocks]  nibbles [8 columns][16],  scales [8] f16,  offsets [8] i8      144 or 152 bytes
//   x1  x        [blocks]  quants [32],  lanes [8] i16,  -M*d [4],  d, sum                80 bytes
//   x2  blocks, at least 1
//   x3  starts   [4] M = 1.5 * 2^23
//   x4  sums     [8], written
//
//   v0, v1       activations, k 0-15 and k 16-31
//   v2           d, sum
//   v3, v4       M + sums of columns 0-3, 4-7
//   v5, v6       -M*d, then sum*d
//   v7           scales of the weights
//   v16-v19      nibbles of two columns: v16, v18 the high ones, v17, v19 the low ones
//   v20-v27      16-bit sums of a column each, from lanes on: loaded, because copying a register takes the place of
//                arithmetic. Four products a lane, 4 * 8 * 127, fit, and so does what adding pairs twice makes of them
//   v28          offsets
//   v29, v30     sums of floats
//   v31          mask of the low nibbles
//
// The order is for cores with one pipe that multiplies: what the first four columns' sums go through stands between
// products of the last four.

.text

// Both columns from the nibbles at \at on, up to half of their products, and the rest.
.macro thinkd_gemv_neon_pair at, first, second
    ldr q16, [x0, #\at]
    ldr q18, [x0, #(\at + 16)]
    ldr q\first, [x1, #32]
    ldr q\second, [x1, #32]
    and v17.16b, v16.16b, v31.16b
    and v19.16b, v18.16b, v31.16b
    smlal v\first\().8h, v17.8b, v0.8b
    smlal v\second\().8h, v19.8b, v0.8b
.endm
.macro thinkd_gemv_neon_pair_rest first, second
    smlal2 v\first\().8h, v17.16b, v0.16b
    smlal2 v\second\().8h, v19.16b, v0.16b
    ushr v16.16b, v16.16b, #4
    ushr v18.16b, v18.16b, #4
    smlal v\first\().8h, v16.8b, v1.8b
    smlal v\second\().8h, v18.8b, v1.8b
    smlal2 v\first\().8h, v16.16b, v1.16b
    smlal2 v\second\().8h, v18.16b, v1.16b
.endm

// The sums of four columns side by side.
.macro thinkd_gemv_neon_tree a, b, c, d, sums
    addp v\a\().8h, v\a\().8h, v\b\().8h
    addp v\c\().8h, v\c\().8h, v\d\().8h
    addp v\a\().8h, v\a\().8h, v\c\().8h
    ldr q\sums, [x3]
    sadalp v\sums\().4s, v\a\().8h
.endm

.macro thinkd_gemv_neon_function name, bytes
.p2align 6
.global \name
.hidden \name
.type \name, %function
\name:
    movi v29.4s, #0
    movi v30.4s, #0
    movi v31.16b, #15

1:  ldp q0, q1, [x1]
    ldr q2, [x1, #64]
    thinkd_gemv_neon_pair 0, 20, 21
    thinkd_gemv_neon_pair_rest 20, 21
    thinkd_gemv_neon_pair 32, 22, 23
    thinkd_gemv_neon_pair_rest 22, 23
    thinkd_gemv_neon_pair 64, 24, 25
    thinkd_gemv_neon_tree 20, 21, 22, 23, 3
    thinkd_gemv_neon_pair_rest 24, 25
    ldr q7, [x0, #128]
    ldr q5, [x1, #48]
    fcvtl v20.4s, v7.4h
.if \bytes > 144
    ldr d28, [x0, #144]
    sshll v28.8h, v28.8b, #0
    smlal v3.4s, v28.4h, v2.h[2]
.endif
    fmla v5.4s, v3.4s, v2.s[0]
    fmla v29.4s, v5.4s, v20.4s
    thinkd_gemv_neon_pair 96, 26, 27
    thinkd_gemv_neon_pair_rest 26, 27
    thinkd_gemv_neon_tree 24, 25, 26, 27, 4
    ldr q6, [x1, #48]
    fcvtl2 v20.4s, v7.8h
.if \bytes > 144
    smlal2 v4.4s, v28.8h, v2.h[2]
.endif
    fmla v6.4s, v4.4s, v2.s[0]
    fmla v30.4s, v6.4s, v20.4s
    add x0, x0, #\bytes
    add x1, x1, #80
    subs x2, x2, #1
    b.ne 1b

    stp q29, q30, [x4]
    ret
.size \name, . - \name
.endm

thinkd_gemv_neon_function thinkd_gemv_neon, 144
thinkd_gemv_neon_function thinkd_gemv_neon_offsets, 152
