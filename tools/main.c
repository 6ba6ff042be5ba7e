/*
 * main.c - The command: which subcommand is meant.
 */
#include "common.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"demo", sw_cmd_demo, "two hosts in one process exchange an HTTP page; each segment is shown"},
    {"serve", sw_cmd_serve, "HTTP server of a folder, on our own TCP over a TUN device"},
    {"get", sw_cmd_get, "fetch a URL, on our own TCP over a TUN device"},
    {"nc", sw_cmd_nc, "standard input and output over a connection, listening or connecting"},
    {"drill", sw_cmd_drill, "run packetdrill-language scripts against the stack in virtual time"},
    {"sim", sw_cmd_sim,
     "a hostile network and careless applications, drawn from a seed; all checked"},
    {"bench", sw_cmd_bench, "benchmarks in one process"},
};

#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static void print_help(FILE *out)
{
    fprintf(out,
            "usage: sanwo COMMAND [arguments]\n\nTCP of our own, in user space.\n\ncommands:\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
    fprintf(out, "\n  --version   the version\n  --help      this page\n\n"
                 "\"sanwo COMMAND --help\" says more about each.\n\n"
                 "example:\n  sanwo demo\n");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return STATUS_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        print_help(stdout);
        return STATUS_OK;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("sanwo %s\n", SANWO_VERSION);
        return STATUS_OK;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (!strcmp(argv[1], commands[i].name))
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "sanwo: there is no command '%s'; \"sanwo --help\" shows what there is\n",
            argv[1]);
    return STATUS_USAGE;
}
