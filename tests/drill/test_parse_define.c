/*
 * test_parse_define.c - Lines that begin with '#', and words that stand for something else.
 */
#define _GNU_SOURCE
#include "parse_print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct row {
    const char *script, *expected;
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_parse(rows[i].script, rows[i].expected);
}

#define CHECK(rows) check_rows(rows, COUNT(rows))

static void test_definitions(void **state)
{
    static const struct row rows[] = {
        {"--define=P=IPPROTO_TCP\n--define=CC=\"reno\"\n--define=N=132\n--define=S=`a b`\nS\n"
         "0 s(P, CC, N)=0\n+0 S",
         "1: --define=P=IPPROTO_TCP\n2: --define=CC=\"reno\"\n3: --define=N=132\n"
         "4: --define=S=`a b`\n5: initially [a b]\n6: @0 call s(IPPROTO_TCP, \"reno\", 132) = 0\n"
         "7: +0 shell [a b]\n"},
        {"#define OPTIONS mss 1460, nop // two\n#define SYN S 0:0(0)\n+0 > SYN "
         "<OPTIONS,nop,nop,nop>",
         "3: +0 > tcp 02 seq 0 len 0 2/4=1460 1/1 1/1 1/1 1/1\n"},
        {"#define A B\n#define B C 1\n#define C A\n0 f(A |1)=0",
         "error: t.pkt:4: expected ')' or ',', found '1'\n"},
        {"#define A A | B\n#define B A\n0 f(A)=0", "3: @0 call f(<A | A>) = 0\n"},
        {"#define A 1\n0 f(A)=0\n#undef A\n0 f(A)=0\n#define A 2\n0 f(A, AA, A1)=0",
         "2: @0 call f(1) = 0\n4: @0 call f(A) = 0\n6: @0 call f(2, AA, A1) = 0\n"},
        {"#define E\n0 f(E)=E 0 E", "2: @0 call f() = 0\n"},
        {"#define LONG 1 | \\\n 2\n0 f(LONG)=0", "3: @0 call f(<1 | 2>) = 0\n"},
        {"#define A \"x\n0 f(A)=0", "error: t.pkt:2: the string that begins here has no end\n"},
        {"#define 1A 5\n0 f()=0", "error: t.pkt:1: #define: expected a name\n"},
        {"#define F(x) x\n0 f()=0",
         "error: t.pkt:1: #define: names with parameters are not in the language\n"},
        {"--define=X\n0 f()=0", "error: t.pkt:1: --define: expected NAME=value\n"},
        {"--define==X\n0 f()=0", "error: t.pkt:1: --define: expected NAME=value\n"},
    };

    (void)state;
    CHECK(rows);
}

static void test_conditions(void **state)
{
    static const struct row rows[] = {
        {"#ifdef A\n\"never\n\" f(\n#endif\n#ifndef A\n0 b()=0\n#else\n0 c()=0\n#endif",
         "6: @0 call b() = 0\n"},
        {"#define A 5\n#if A == 5 && !defined(B)\n0 b()=0\n#elif 1\n0 c()=0\n#endif",
         "3: @0 call b() = 0\n"},
        {"#if 0\n0 a()=0\n#elif defined X || 1 > 0\n0 b()=0\n#elif 1\n0 c()=0\n#else\n0 "
         "d()=0\n#endif\n",
         "4: @0 call b() = 0\n"},
        {"#if 0\n#if 1\n0 a()=0\n#else\n0 b()=0\n#endif\n#elif\n#else\n0 c()=0\n#endif",
         "error: t.pkt:7: #if: expected a name or a number\n"},
        {"#if 0\n#if nonsense (\n0 a()=0\n#else\n0 b()=0\n#endif\n#else\n0 c()=0\n#endif",
         "8: @0 call c() = 0\n"},
        {"#if (1 || 0) && !(2 != 2) && 3 <= 3 && 3 >= 3 && 1 < 2\n0 a()=0\n#endif",
         "2: @0 call a() = 0\n"},
        {"#if 0 && 1\n#elif 1 && 0 || 0 && 1\n#else\n0 a()=0\n#endif", "4: @0 call a() = 0\n"},
        {"#if 0\n#if 0\n#else\n0 a()=0\n#endif\n#endif\n0 b()=0", "7: @0 call b() = 0\n"},
        {"#if 0x10 == 16 // sixteen\n0 a()=0\n#endif /* 0x10 */", "2: @0 call a() = 0\n"},
        {"#if 0\n`\n#endif\n`\n#endif\n0 a()=0", "6: @0 call a() = 0\n"},
        {"  #  if it rains\n#hashtag\n# define A B\n0 f(A)=0 #if 0", "4: @0 call f(A) = 0\n"},
        {"#ifdef A\n0 a()=0\n#endif", "unsupported: ?"},
        {"#if 1\n0 a()=0", "error: t.pkt:2: the #if of line 1 has no #endif\n"},
        {"0 a()=0\n#endif", "error: t.pkt:2: #endif without #if\n"},
        {"#else\n0 a()=0", "error: t.pkt:1: #else without #if\n"},
        {"#elif 1\n0 a()=0", "error: t.pkt:1: #elif without #if\n"},
        {"#if 1\n#else\n#else\n#endif", "error: t.pkt:3: a second #else\n"},
        {"#if 1\n#else\n#elif 1\n#endif", "error: t.pkt:3: #elif after #else\n"},
        {"#if\n#endif", "error: t.pkt:1: #if: expected a name or a number\n"},
        {"#if (1\n#endif", "error: t.pkt:1: #if: expected )\n"},
        {"#if 1 2\n#endif", "error: t.pkt:1: #if: expected &&, || or the end of the line\n"},
        {"#if defined()\n#endif", "error: t.pkt:1: #if: expected a name after `defined`\n"},
        {"#ifdef\n#endif", "error: t.pkt:1: #ifdef: expected a name\n"},
        {"#ifdeff X\n#endif", "error: t.pkt:1: #ifdeff is no directive\n"},
        {"#error not here\n", "error: t.pkt:1: #error not here\n"},
        {"#if 0\n#error not here\n#endif\n0 a()=0", "4: @0 call a() = 0\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (strcmp(rows[i].expected, "unsupported: ?"))
            check_parse(rows[i].script, rows[i].expected);
        else
            check_parse(rows[i].script,
                        "error: unsupported: t.pkt:3: #if leaves no event of this script\n");
    }
}

static void test_command_line_wins(void **state)
{
    static const struct drill_define defines[] = {{"linux", NULL}, {"WIN", "5"}, {"EMPTY", ""}};
    static const char script[] = "--define=WIN=7\n#define WIN 8\n#define linux 9\n"
                                 "#ifdef linux\n0 f(WIN, linux EMPTY)=0\n#endif\n"
                                 "#undef WIN\n#define WIN 10\n+0 f(WIN)=0";

    (void)state;
    assert_string_equal(parse_and_print(script, strlen(script), defines, COUNT(defines)),
                        "1: --define=WIN=7\n5: @0 call f(5, linux) = 0\n9: +0 call f(10) = 0\n");
}

/** Definitions that double at each step, conditions and names without end: refused, and at once. */
static void test_growth_is_bounded(void **state)
{
    static char text[200000];
    size_t length = 0;

    (void)state;
    for (int i = 0; i < 30; i++)
        length += (size_t)sprintf(text + length, "#define A%d A%d A%d\n", i, i + 1, i + 1);
    length += (size_t)sprintf(text + length, "0 f(A0)=0\n");
    assert_string_equal(parse_and_print(text, length, NULL, 0),
                        "error: t.pkt:31: expected ')' or ',', found 'A30'\n");
    for (int i = 0; i < 30; i++)
        length += (size_t)sprintf(text + length, "#define B%d B%d B%d\n", i, i + 1, i + 1);
    length += (size_t)sprintf(text + length, "#define B30\n0 f(B0)=0\n");
    memmove(text, strstr(text, "#define B0"),
            length + 1 - (size_t)(strstr(text, "#define B0") - text));
    assert_string_equal(parse_and_print(text, strlen(text), NULL, 0),
                        "error: t.pkt:32: the definitions stand for too much text\n");
    length = 0;
    for (int i = 0; i < 1000; i++)
        length += (size_t)sprintf(text + length, "#if 1\n");
    assert_string_equal(parse_and_print(text, length, NULL, 0),
                        "error: t.pkt:65: too many #if within each other\n");
    length = 0;
    for (int i = 0; i < 2000; i++)
        length += (size_t)sprintf(text + length, "#define N%d 1\n", i);
    assert_string_equal(parse_and_print(text, length, NULL, 0),
                        "error: t.pkt:1025: #define: too many names\n");
    memset(text, '(', sizeof(text));
    memcpy(text, "#if ", 4);
    assert_string_equal(parse_and_print(text, sizeof(text), NULL, 0),
                        "error: t.pkt:1: #if: expected fewer brackets\n");
}

/* ---- files ---------------------------------------------------------------------------------------- */

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void test_include(void **state)
{
    static const struct row rows[] = {
        {"// one\n#include \"a.inc\"\n+3 f(A)=0",
         "2(a.inc:2): @0 call a(1) = 0\n2(dir/b.inc:1): +1 call b() = 0\n"
         "2(dir/../c.inc:2): +2 call c() = 0\n3: +3 call f(1) = 0\n"},
        {"#include <c.inc>\n", "1(c.inc:2): +2 call c() = 0\n"},
        {"\n#include \"bad.inc\"\n",
         "error: bad.inc:2: expected a value, found ',' (included at t.pkt:2)\n"},
        {"#include \"open.inc\"\n0 a()=0",
         "error: open.inc:2: the #if of line 1 has no #endif (included at t.pkt:1)\n"},
        {"#if 1\n#include \"close.inc\"\n#endif\n0 a()=0",
         "error: close.inc:1: #endif without #if in this file (included at t.pkt:2)\n"},
        {"#include \"none.inc\"\n", "error: t.pkt:1: #include: 'none.inc' is no file\n"},
        {"#include \"dir\"\n", "error: t.pkt:1: #include: 'dir' is no file\n"},
        {"#include \"/dev/zero\"\n", "error: t.pkt:1: #include: '/dev/zero' is no file\n"},
        {"#include none\n", "error: t.pkt:1: #include: expected a file name in quotes\n"},
        {"#include \"\"\n", "error: t.pkt:1: #include: expected a file name in quotes\n"},
        {"#if 0\n#include \"none.inc\"\n#endif\n0 a()=0", "4: @0 call a() = 0\n"},
    };
    char folder[] = "/tmp/drill-include-XXXXXX", before[4096];

    (void)state;
    assert_non_null(getcwd(before, sizeof(before)));
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(system("mkdir dir"), 0);
    write_file("a.inc", "#define A 1\n0 a(A)=0\n#include \"dir/b.inc\"\n");
    write_file("dir/b.inc", "+1 b()=0\n#include \"../c.inc\"");
    write_file("c.inc", "\n+2 c()=0");
    write_file("bad.inc", "0 f(\n,");
    write_file("open.inc", "#if 1\n");
    write_file("close.inc", "#endif\n");
    write_file("self.inc", "#include \"self.inc\"\n");
    write_file("twice.inc", "0 a()=0\n");
    CHECK(rows);
    assert_non_null(strstr(parse_and_print("#include \"self.inc\"\n", 20, NULL, 0),
                           "self.inc' is included too deeply"));
    {
        char many[4000] = "";

        for (int i = 0; i < 100; i++)
            strcat(many, "#include \"twice.inc\"\n");
        check_parse(many, "error: t.pkt:65: #include: too many files\n");
    }
    assert_int_equal(chdir(before), 0);
    {
        char command[100];

        snprintf(command, sizeof(command), "rm -r %s", folder);
        assert_int_equal(system(command), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definitions),       cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_command_line_wins), cmocka_unit_test(test_growth_is_bounded),
        cmocka_unit_test(test_include),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
