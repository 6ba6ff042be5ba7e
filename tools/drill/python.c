/*
 * python.c - Speaking with the Python process.
 *
 *     to it:    "LENGTH\n" and a program of that length
 *     from it:  "LENGTH\n" and an answer: empty, or "LINE TEXT" of the first thing that is wrong
 *
 * The program consists of step(line, {name: value, ...}, b'code') for each piece of code; all pieces
 * of a script share their variables. Starting Python costs more than a hundred scripts without code,
 * so one process serves a worker for its life.
 */
#define _GNU_SOURCE
#include "python.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pipe.h"

struct drill_python {
    pid_t pid; /* 0: not started */
    bool absent;
    int in, out; /* as we see them: we write to `in` */
};

static const char harness[] =
    "import sys, textwrap, traceback\n"
    "source, sink = sys.stdin.buffer, sys.stdout.buffer\n"
    "sys.stdout = sys.stderr\n"
    "def tidy(code):\n"
    "    lines = code.decode('utf-8', 'replace').split('\\n')\n"
    "    while lines and not lines[0].strip():\n"
    "        lines.pop(0)\n"
    "        if lines and lines[0].strip():\n"
    "            return textwrap.dedent('\\n'.join(lines))\n"
    "    if not lines:\n"
    "        return ''\n"
    "    rest = '\\n'.join(lines[1:])\n"
    "    if not lines[0].rstrip().endswith(':'):\n"
    "        rest = textwrap.dedent(rest)\n"
    "    return lines[0].strip() + '\\n' + rest\n"
    "def reason(error):\n"
    "    name = type(error).__name__\n"
    "    text = str(error)\n"
    "    return name + (': ' + text if text else '')\n"
    "def run(program):\n"
    "    state = {'__name__': '__main__'}\n"
    "    def step(line, values, code):\n"
    "        state.update(values)\n"
    "        text = tidy(code)\n"
    "        try:\n"
    "            exec(compile(text, '<script>', 'exec'), state)\n"
    "        except BaseException as error:\n"
    "            if isinstance(error, SystemExit) and not error.code:\n"
    "                return\n"
    "            where = [f.lineno for f in traceback.extract_tb(error.__traceback__)\n"
    "                     if f.filename == '<script>']\n"
    "            source_line = text.split('\\n')[where[0] - 1].strip() if where else text.strip()\n"
    "            names = [n for n in sorted(state) if n in source_line and\n"
    "                     n.startswith(('tcpi_', '__tcpi_')) and\n"
    "                     (' ' + ''.join(c if c.isalnum() or c == '_' else ' '\n"
    "                      for c in source_line) + ' ').find(' ' + n + ' ') >= 0]\n"
    "            shown = ', '.join('%s is %s' % (n, state[n]) for n in names)\n"
    "            raise RuntimeError('%d %s: %s%s' % (line, reason(error), source_line,\n"
    "                               ' (' + shown + ')' if shown else '')) from None\n"
    "    exec(compile(program, '<program>', 'exec'), {'step': step})\n"
    "while True:\n"
    "    head = source.readline()\n"
    "    if not head:\n"
    "        break\n"
    "    program = source.read(int(head))\n"
    "    try:\n"
    "        run(program)\n"
    "        answer = b''\n"
    "    except BaseException as error:\n"
    "        answer = str(error).encode('utf-8', 'replace')\n"
    "    sink.write(b'%d\\n' % len(answer) + answer)\n"
    "    sink.flush()\n";

struct drill_python *sw_drill_python_new(void)
{
    struct drill_python *p = calloc(1, sizeof *p);

    if (p)
        p->in = p->out = -1;
    return p;
}

static void stop(struct drill_python *p)
{
    if (p->in >= 0)
        close(p->in);
    if (p->out >= 0)
        close(p->out);
    if (p->pid > 0) {
        kill(p->pid, SIGKILL);
        waitpid(p->pid, NULL, 0);
    }
    p->pid = 0;
    p->in = p->out = -1;
}

void sw_drill_python_free(struct drill_python *p)
{
    if (p)
        stop(p);
    free(p);
}

/* In the child: never returns. */
static void become_python(int in, int out)
{
    /* Code may loop for ever, and a worker that waited too long is killed: this dies with it. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    execlp("python3", "python3", "-I", "-S", "-c", harness, (char *)NULL);
    _exit(127);
}

static bool start(struct drill_python *p)
{
    int to[2], from[2];

    if (pipe2(to, O_CLOEXEC) < 0)
        return false;
    if (pipe2(from, O_CLOEXEC) < 0) {
        close(to[0]);
        close(to[1]);
        return false;
    }
    p->pid = fork();
    if (p->pid == 0)
        become_python(to[0], from[1]);
    close(to[0]);
    close(from[1]);
    p->in = to[1];
    p->out = from[0];
    return p->pid > 0;
}

/* The answer's length, which stands on a line of its own. */
static bool get_length(int fd, size_t *out)
{
    char c;

    *out = 0;
    while (sw_drill_pipe_get(fd, &c, 1)) {
        if (c == '\n')
            return true;
        if (c < '0' || c > '9')
            return false;
        *out = *out * 10 + (size_t)(c - '0');
    }
    return false;
}

static bool ask(struct drill_python *p, const char *program, size_t length, size_t *answer)
{
    char head[32];
    int n = snprintf(head, sizeof head, "%zu\n", length);

    return sw_drill_pipe_put(p->in, head, (size_t)n) && sw_drill_pipe_put(p->in, program, length) &&
           get_length(p->out, answer);
}

/* Reads @length bytes, of which what fits is kept. */
static bool get_message(int fd, size_t length, char *message, size_t size)
{
    size_t kept = length < size - 1 ? length : size - 1;
    char c;

    if (!sw_drill_pipe_get(fd, message, kept))
        return false;
    message[kept] = 0;
    for (size_t i = kept; i < length; i++)
        if (!sw_drill_pipe_get(fd, &c, 1))
            return false;
    return true;
}

enum drill_python_answer sw_drill_python_run(struct drill_python *p, const char *program,
                                             size_t length, char *message, size_t message_size)
{
    size_t answer = 0;
    int status = 0;
    bool first = p->pid == 0;

    if (p->absent)
        return DRILL_PYTHON_ABSENT;
    signal(SIGPIPE, SIG_IGN);
    if (first && !start(p))
        return DRILL_PYTHON_ABSENT;
    if (ask(p, program, length, &answer) && get_message(p->out, answer, message, message_size))
        return answer ? DRILL_PYTHON_FAILED : DRILL_PYTHON_PASSED;
    if (first && waitpid(p->pid, &status, 0) == p->pid) { /* it never came up */
        p->pid = 0;
        p->absent = WIFEXITED(status) && WEXITSTATUS(status) == 127;
    }
    stop(p);
    snprintf(message, message_size, "0 python3 ended in the middle of the code");
    return p->absent ? DRILL_PYTHON_ABSENT : DRILL_PYTHON_FAILED;
}
