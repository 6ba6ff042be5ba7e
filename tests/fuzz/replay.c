/*
 * replay.c - Runs a fuzz target over files, without libFuzzer.
 *
 *     replay-NAME [--write DIR | --text] [--each] [--trace] FILE|DIR...
 *
 * A file whose name ends in .txt holds seeds; any other is one input; of a folder all files count.
 * --write puts every seed as an input of its own into DIR, for libFuzzer to start from; --text
 * prints inputs as seeds. --each names an input before it runs, so that a crash tells which it was;
 * --trace prints, for the stateful target, every record and every segment that the stack emits.
 *
 *     # a line of seeds.txt: a name, a colon, then bytes; a line that begins with a blank goes on
 *     syn: 45 00 "text\r\n" SEND*3 00
 *
 * Bytes are two hexadecimal digits, quoted text, or a name of an operation of the stateful target;
 * "*n" repeats what stands before it.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include "stateful_ops.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SEED_MAX 65536

#ifndef STATEFUL /* is this the target whose inputs are programs? */
#define STATEFUL 0
#endif

struct replay {
    const char *write_to; /* NULL: run */
    bool each, text;
    unsigned inputs;
};

static void fail(const char *file, const char *what)
{
    fprintf(stderr, "%s: %s\n", file, what);
    exit(2);
}

static const char *const operations[] = {
#define NAME(name, text) #name,
    STATEFUL_OPS(NAME)
#undef NAME
};

/* As a seed; for the stateful target a record a line. */
static void print_text(const char *name, const uint8_t *bytes, size_t size)
{
    const char *base = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
    printf("%.12s:", base);
    for (size_t i = 0; i < size; i++) {
        size_t end = i;
        if (!STATEFUL || i < STATEFUL_RECORD) {
            printf(STATEFUL || i % 32 ? " %02x" : "\n %02x", bytes[i]);
            continue;
        }
        printf("\n %s", operations[bytes[i] % OP_COUNT]);
        for (size_t j = i + 1; j < i + STATEFUL_RECORD && j < size; j++)
            end = bytes[j] ? j : end;
        for (size_t j = i + 1; j <= end; j++)
            printf(" %02x", bytes[j]);
        i += STATEFUL_RECORD - 1;
    }
    printf("\n");
}

static void run(struct replay *r, const char *name, const uint8_t *bytes, size_t size)
{
    r->inputs++;
    if (r->text) {
        print_text(name, bytes, size);
        return;
    }
    if (r->write_to) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/seed-%s", r->write_to, name);
        FILE *out = fopen(path, "wb");
        if (!out || fwrite(bytes, 1, size, out) != size || fclose(out))
            fail(path, "cannot be written");
        return;
    }
    if (r->each) {
        printf("%s (%zu bytes)\n", name, size);
        fflush(stdout);
    }
    uint8_t *copy = fuzz_copy(bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

/* ---- seeds ----------------------------------------------------------------------------------- */

struct seed {
    char name[128];
    size_t size;
    uint8_t bytes[SEED_MAX];
};

static void put(struct seed *s, const char *file, unsigned byte)
{
    if (s->size == SEED_MAX)
        fail(file, "a seed is too long");
    s->bytes[s->size++] = (uint8_t)byte;
}

static const char *put_text(struct seed *s, const char *file, const char *at)
{
    for (at++; *at && *at != '"'; at++) {
        if (*at != '\\') {
            put(s, file, (uint8_t)*at);
            continue;
        }
        at++;
        put(s, file, *at == 'r' ? '\r' : *at == 'n' ? '\n' : *at == 't' ? '\t' : (uint8_t)*at);
    }
    if (*at != '"')
        fail(file, "a quote is not closed");
    return at + 1;
}

static int operation(const char *word, size_t length)
{
    for (size_t i = 0; i < OP_COUNT; i++)
        if (strlen(operations[i]) == length && strncmp(operations[i], word, length) == 0)
            return (int)i;
    return -1;
}

static const char *put_word(struct seed *s, const char *file, const char *at)
{
    size_t length = strcspn(at, " \t\r\n*");
    int op = operation(at, length);
    if (op >= 0) {
        while (s->size % STATEFUL_RECORD) /* records are filled up with zeros */
            put(s, file, 0);
        put(s, file, (unsigned)op);
    } else if (length == 2 && isxdigit((unsigned char)at[0]) && isxdigit((unsigned char)at[1])) {
        put(s, file, (unsigned)strtoul((char[]){at[0], at[1], 0}, NULL, 16));
    } else {
        fprintf(stderr, "%.*s: ", (int)length, at);
        fail(file, "neither two hexadecimal digits, nor quoted text, nor an operation");
    }
    return at + length;
}

static void put_line(struct seed *s, const char *file, const char *at)
{
    while (*(at += strspn(at, " \t\r\n"))) {
        size_t before = s->size;
        at = *at == '"' ? put_text(s, file, at) : put_word(s, file, at);
        if (*at != '*')
            continue;
        size_t unit = s->size - before;
        unsigned long times = strtoul(at + 1, (char **)(uintptr_t)&at, 10);
        for (unsigned long i = 1; i < times; i++)
            for (size_t j = 0; j < unit; j++)
                put(s, file, s->bytes[before + j]);
    }
}

static void run_seeds(struct replay *r, const char *file)
{
    static struct seed s;
    FILE *in = fopen(file, "r");
    char *line = NULL;
    size_t room = 0;
    if (!in)
        fail(file, "cannot be read");
    s.name[0] = 0;
    while (getline(&line, &room, in) > 0) {
        char *colon = strchr(line, ':');
        if (line[0] == '#' || line[0] == '\n')
            continue;
        if (isspace((unsigned char)line[0])) {
            put_line(&s, file, line);
            continue;
        }
        if (s.name[0])
            run(r, s.name, s.bytes, s.size);
        if (!colon || (size_t)(colon - line) >= sizeof(s.name))
            fail(file, "a seed begins with its name and a colon");
        snprintf(s.name, sizeof(s.name), "%.*s", (int)(colon - line), line);
        s.size = 0;
        put_line(&s, file, colon + 1);
    }
    if (s.name[0])
        run(r, s.name, s.bytes, s.size);
    free(line);
    fclose(in);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void run_file(struct replay *r, const char *file)
{
    FILE *in = fopen(file, "rb");
    uint8_t *bytes = NULL;
    size_t size = 0, room = 0, got = 1;
    if (!in)
        fail(file, "cannot be read");
    while (got) {
        if (size == room)
            bytes = realloc(bytes, room = room ? room * 2 : 4096);
        if (!bytes)
            fail(file, "no memory");
        got = fread(bytes + size, 1, room - size, in);
        size += got;
    }
    fclose(in);
    run(r, file, bytes, size);
    free(bytes);
}

static void run_path(struct replay *r, const char *path)
{
    struct stat about;
    size_t length = strlen(path);
    if (stat(path, &about) != 0)
        fail(path, "is not there");
    if (!S_ISDIR(about.st_mode)) {
        if (length > 4 && strcmp(path + length - 4, ".txt") == 0)
            run_seeds(r, path);
        else
            run_file(r, path);
        return;
    }
    struct dirent **names = NULL;
    int n = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char inner[4096];
        snprintf(inner, sizeof(inner), "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.')
            run_path(r, inner);
        free(names[i]);
    }
    free(names);
}

int main(int argc, char **argv)
{
    struct replay r = {0};
    if (argc < 2)
        fail(argv[0], "which files? See the head of tests/fuzz/replay.c");
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--write") == 0 && i + 1 < argc)
            r.write_to = argv[++i];
        else if (strcmp(argv[i], "--each") == 0)
            r.each = true;
        else if (strcmp(argv[i], "--trace") == 0)
            fuzz_trace = true;
        else if (strcmp(argv[i], "--text") == 0)
            r.text = true;
        else
            run_path(&r, argv[i]);
    }
    if (!r.text)
        printf("%u inputs\n", r.inputs);
    return 0;
}
