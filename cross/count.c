// A plugin of qemu-user 7.2 that counts executed instructions by the function they stand in.
//
//   qemu-aarch64 -plugin ./libcount.so -d plugin -D FILE PROGRAM
//
// FILE then has a line for each function: its symbol and the count. The counts are the same from run to run, because
// no instruction of the program depends on time. Debian has no package with the plugins' header: what is used of it
// is declared here, for its version 1.

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t,
                                                  void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
extern void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, void *), void *);
extern void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *, enum qemu_plugin_op, void *,
                                                       uint64_t);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
extern const char *qemu_plugin_insn_symbol(const struct qemu_plugin_insn *);
extern void qemu_plugin_outs(const char *);

EXPORT int qemu_plugin_version = 1;

// A function; they stay where they are, because translated code adds to `count`.
struct function {
    struct function *next;
    uint64_t count;
    char *symbol;
};

static struct function *functions;

static struct function *find(const char *symbol)
{
    struct function *function = functions;
    while (function && strcmp(function->symbol, symbol) != 0)
        function = function->next;
    if (!function) {
        function = calloc(1, sizeof *function);
        if (!function || !(function->symbol = strdup(symbol)))
            abort();
        function->next = functions;
        functions = function;
    }
    return function;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
        const char *symbol = qemu_plugin_insn_symbol(instruction);
        // Code without a symbol is the C library's, not ours.
        if (symbol)
            qemu_plugin_register_vcpu_insn_exec_inline(instruction, QEMU_PLUGIN_INLINE_ADD_U64,
                                                       &find(symbol)->count, 1);
    }
}

static void ended(qemu_plugin_id_t id, void *data)
{
    (void)id;
    (void)data;
    for (const struct function *function = functions; function; function = function->next) {
        char count[32];
        snprintf(count, sizeof count, " %" PRIu64 "\n", function->count);
        qemu_plugin_outs(function->symbol);
        qemu_plugin_outs(count);
    }
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
    (void)info;
    (void)argc;
    (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ended, NULL);
    return 0;
}
