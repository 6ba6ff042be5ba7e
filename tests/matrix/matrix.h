/*
 * matrix.h - Every situation of a connection times every kind of segment, against a written table.
 *
 *     situations.c   the eleven states, some in several forms: where RCV.NXT, SND.UNA ... stand
 *     classes.c      the segments: flags x SEG.SEQ x SEG.ACK x text, and what is true of each
 *     rules.c        the table: for each step of RFC 9293 3.10.7, what to do if what is true
 *     model.c        walks the table: the expected outcome
 *     drive.c        the stack: restored from a snapshot, given the segment, observed
 *     test_matrix.c  all cases; every rule must be used, none may be missing
 *
 * The model shares nothing with src/: no code, and no arithmetic. Its numbers are relative (a SYN
 * is 0) and 64 bits wide, so that "before" and "after" are what they seem; the stack gets the same
 * numbers modulo 2^32, with initial numbers that put the wrap between the classes.
 */
#ifndef TESTS_MATRIX_MATRIX_H
#define TESTS_MATRIX_MATRIX_H

#include "tcp/peer.h"

#define WINDOW 1024      /* our receive buffer */
#define PEER_WINDOW 4000 /* the largest window the peer ever announced: MAX.SND.WND */
#define NEWS_WINDOW 3000 /* the window of the segment under test: seen if it is taken */
#define URGENT_AHEAD 5   /* its urgent pointer */
#define IN_FLIGHT 100    /* bytes of ours that wait for an acknowledgement */

/* ---- facts: what can be true of a segment in a situation ------------------------------------- */

/* The lowest eight are the control bits as on the wire: FIN SYN RST PSH ACK URG ECE CWR. */
#define FACT(n) (UINT64_C(1) << (8 + (n)))
#define LENGTH FACT(0)        /* SEG.LEN > 0; SYN and FIN count */
#define TEXT FACT(1)          /* it carries bytes */
#define ACCEPTABLE FACT(2)    /* table 6 */
#define SEQ_IN FACT(3)        /* RCV.NXT =< SEG.SEQ < RCV.NXT+RCV.WND */
#define SEQ_EXACT FACT(4)     /* SEG.SEQ = RCV.NXT */
#define SEQ_NEXT FACT(5)      /* SEG.SEQ = RCV.NXT+1 */
#define SEQ_IRS FACT(6)       /* SEG.SEQ = IRS */
#define SEQ_NEWER FACT(7)     /* SEG.SEQ above the number of the peer's FIN */
#define ALL_OLD FACT(8)       /* every number of it is below RCV.NXT */
#define FIN_AGAIN FACT(9)     /* it ends where the peer's FIN ended */
#define FIN_REACHED FACT(10)  /* its FIN is at RCV.NXT: everything before has come */
#define WINDOW_OPEN FACT(11)  /* RCV.WND > 0 */
#define ACK_NEW FACT(12)      /* SND.UNA < SEG.ACK =< SND.NXT */
#define ACK_NOT_OLD FACT(13)  /* SND.UNA =< SEG.ACK =< SND.NXT */
#define ACK_IN_RANGE FACT(14) /* SND.UNA-MAX.SND.WND =< SEG.ACK =< SND.NXT */
#define ACK_OF_FIN FACT(15)   /* SEG.ACK = SND.NXT, and our FIN is sent */
#define URGENT_NEWS FACT(16)  /* SEG.UP is ahead of what the user has read */
#define PASSIVE FACT(17)      /* the connection came from LISTEN */
#define LISTENED FACT(18)     /* somebody listens on the port */
#define LET_GO FACT(19)       /* the user called CLOSE and cannot receive any more */
#define WINDOW_NEWS FACT(20)  /* SND.WL1 < SEG.SEQ or (SND.WL1 = SEG.SEQ and SND.WL2 =< SEG.ACK) */
#define TIMESTAMPS FACT(21)   /* negotiated (RFC 7323) */
#define TS_THERE FACT(22)     /* the segment has the option */
#define TS_OLD FACT(23)       /* SEG.TSval < TS.Recent */
#define TS_NEW FACT(24)       /* SEG.TSval > TS.Recent */
#define SYN_OUT FACT(25)      /* our SYN is not acknowledged, although we closed */

/* ---- acts: what a rule does ------------------------------------------------------------------ */

enum {
    GO_ON = 1 << 0,        /* with the next step; else the segment is done with */
    SEND_ACK = 1 << 1,     /* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>, numbers as after the last step */
    SEND_RST = 1 << 2,     /* <SEQ=SEG.ACK><CTL=RST> */
    SEND_RST_ACK = 1 << 3, /* <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK> */
    SEND_SYN_ACK = 1 << 4, /* <SEQ=ISS><ACK=SEG.SEQ+1><CTL=SYN,ACK> */
    SEND_NEW_SYN = 1 << 5, /* the same with an ISS above all numbers of the old connection */
    ABORT = 1 << 6,        /* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=RST,ACK> */
    TRIM = 1 << 7,         /* cut off what is outside the window, SYN and FIN too */
    NO_TEXT = 1 << 8,      /* cut off text and FIN */
    TAKE_SYN = 1 << 9,     /* RCV.NXT <- SEG.SEQ+1 */
    TAKE_ACK = 1 << 10,    /* SND.UNA <- SEG.ACK */
    TAKE_WINDOW = 1 << 11, /* SND.WND <- SEG.WND, if it is news */
    TAKE_TEXT = 1 << 12,   /* to the user, or held until the hole before it is filled */
    TAKE_FIN = 1 << 13,    /* RCV.NXT <- RCV.NXT+1 */
    HOLD_FIN = 1 << 14,    /* it waits for the text before it */
    TAKE_TS = 1 << 15,     /* TS.Recent <- SEG.TSval, if SEG.SEQ =< Last.ACK.sent */
    RESTART = 1 << 16,     /* 2 MSL begin anew */
};

enum step { FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH, SEVENTH, EIGHTH, STEPS };

struct rule {
    uint8_t step;    /* of RFC 9293 3.10.7.x, by its name there */
    uint16_t states; /* any of them */
    uint64_t is;     /* all of these facts */
    uint64_t isnt;   /* none of these */
    uint32_t acts;
    uint8_t next;  /* state + 1; 0: it stays as it is */
    uint8_t error; /* what the user is told: SANWO_E... */
    uint16_t tell; /* ... and SANWO_EVENT_... */
    const char *why;
};

extern const struct rule rules[];
extern const unsigned rule_count;

/* ---- cases ----------------------------------------------------------------------------------- */

/** Where a connection stands before the segment arrives. Numbers are relative to the SYNs. */
struct situation {
    const char *name;
    uint8_t state;
    uint64_t facts; /* PASSIVE, LISTENED, LET_GO: those that do not depend on the segment */
    void (*enter)(struct peer *p);
    int64_t rcv_nxt, edge; /* RCV.NXT and RCV.NXT+RCV.WND */
    int64_t snd_una, snd_nxt;
    bool fin_sent;
    uint32_t unread;             /* bytes below RCV.NXT that the user has not taken */
    int64_t held_left, held_end; /* bytes behind a hole */
    int64_t snd_wl1;             /* SND.WL1; SND.WL2 is SND.UNA at most */
    bool handle;                 /* the user can ask for its status */
};

extern const struct situation situations[];
extern const unsigned situation_count;

/** A segment of the peer's, before wrapping. */
struct arrival {
    uint8_t flags;
    int64_t seq, ack;
    uint32_t length;
    bool has_ts;
    int64_t ts; /* SEG.TSval, from TS.Recent on */
};

#define SEQ_CLASSES 14
#define ACK_CLASSES 11
#define LENGTH_CLASSES 5
#define TS_CLASSES 6

/**
 * The number of class @c in situation @s; false if it is the same as that of a class before. What
 * they are is written where they are.
 */
bool class_seq(const struct situation *s, unsigned c, int64_t *seq);
bool class_ack(const struct situation *s, unsigned c, int64_t *ack);
bool class_length(const struct situation *s, int64_t seq, unsigned c, uint32_t *length);
void class_ts(unsigned c, struct arrival *seg);

/* ---- the model ------------------------------------------------------------------------------- */

#define PATH 4

/** All that can be seen from outside, of the model as of the stack. */
struct outcome {
    unsigned answers;
    uint8_t flags; /* of the answer; numbers as on the wire */
    uint32_t seq, ack, window;
    bool has_ts;
    int64_t ts_echo;    /* from TS.Recent on */
    uint8_t path[PATH]; /* the states it went to, in order */
    unsigned path_length;
    bool restarted; /* 2 MSL */
    bool known;     /* there is a handle: the rest is known */
    uint8_t state;
    int error;
    uint32_t events;
    uint32_t snd_una, snd_nxt, snd_wnd, rcv_nxt, rcv_wnd;
    uint32_t unread, held; /* bytes to read, bytes behind a hole */
};

/** What is true now; changes from step to step. */
struct model {
    const struct situation *s;
    struct arrival seg;
    uint8_t state;
    int64_t seq, urgent_end; /* SEG.SEQ and SEG.UP as they came */
    int64_t ts_recent;       /* from what it was on */
    int64_t rcv_nxt, edge, snd_una, snd_nxt, snd_wnd;
    uint32_t unread, held;
    bool have[WINDOW]; /* the byte s->rcv_nxt + i has come */
    int64_t held_fin;  /* its number; 0: none waits */
    uint32_t acts;     /* of all rules used */
    struct outcome out;
    uint8_t used[STEPS]; /* which rules, in order */
    unsigned used_count;
    const char *missing; /* no rule for this step */
};

uint64_t facts_of(const struct model *m);
/** @iss and @isn are what 0 is on the wire. */
void model_run(struct model *m, const struct situation *s, const struct arrival *seg, uint32_t iss,
               uint32_t isn);

/* ---- the stack ------------------------------------------------------------------------------- */

struct bench {
    struct peer *p;
    const struct situation *s;
    uint8_t *snapshot;
    size_t snapshot_size;
    sanwo_time deadline;
    uint32_t ts_recent;         /* TS.Recent, on the wire */
    struct sanwo_handle handle; /* of the connection, of an accepted one too */
    struct outcome seen;
    uint16_t dropped;  /* enum sanwo_reason */
    const char *wrong; /* what no outcome may have */
};

/** Brings a new stack into the situation, checks the numbers there and takes a snapshot. */
void bench_open(struct bench *b, struct peer *p, const struct situation *s);
void bench_close(struct bench *b);
/** Restores the situation, lets the segment arrive, and looks. */
void bench_run(struct bench *b, const struct arrival *seg);
/** After that: what is missing before the held text or FIN comes, and all of it must be there. */
void bench_fill(struct bench *b, const struct model *m);
/** The bytes that wait for the user are those the peer sent. */
void bench_read(struct bench *b, const struct model *m);

#endif
