/*
 * rules.c - The table: RFC 9293 3.10.7, SEGMENT ARRIVES, as data.
 *
 * Read it beside the RFC. A segment goes through the steps of its state; in each step the first row
 * decides whose `is` facts all hold and none of whose `isnt` facts do. A row without GO_ON is the
 * end. What is answered with an ACK is answered once, with the numbers as they are at the end
 * (MUST-58). TS.Recent is taken (TAKE_TS) where RFC 7323 5.3 R3 says, but not before the
 * acknowledgement is believed (attack C-07). D-numbers are those of docs/deviations.md.
 */
#include "matrix.h"

#define S(name) (1u << SANWO_TCP_##name)
#define RECEIVING (S(ESTABLISHED) | S(FIN_WAIT_1) | S(FIN_WAIT_2))
#define FINISHED (S(CLOSE_WAIT) | S(CLOSING) | S(LAST_ACK)) /* the peer's FIN has come */
#define SYNCHRONISED (RECEIVING | FINISHED)
#define OTHERS (S(SYN_RECEIVED) | SYNCHRONISED)
#define TO(name) (SANWO_TCP_##name + 1)
#define STAY 0
#define TELL(name) SANWO_EVENT_##name

/* clang-format off */
const struct rule rules[] = {
    /* ---- 3.10.7.1 CLOSED --------------------------------------------------------------------- */
    {FIRST, S(CLOSED), RST, 0, 0, STAY, 0, 0,
     "3.10.7.1: an incoming segment containing a RST is discarded"},
    {FIRST, S(CLOSED), ACK, 0, SEND_RST, STAY, 0, 0,
     "3.10.7.1, 3.5.2 (1): with ACK, <SEQ=SEG.ACK><CTL=RST>"},
    {FIRST, S(CLOSED), 0, 0, SEND_RST_ACK, STAY, 0, 0,
     "3.10.7.1, 3.5.2 (1): without ACK, <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>"},

    /* ---- 3.10.7.2 LISTEN --------------------------------------------------------------------- */
    {FIRST, S(LISTEN), RST, 0, 0, STAY, 0, 0,
     "3.10.7.2 first: a RST is ignored"},
    {FIRST, S(LISTEN), 0, 0, GO_ON, STAY, 0, 0,
     "3.10.7.2 first: no RST"},
    {SECOND, S(LISTEN), ACK, 0, SEND_RST, STAY, 0, 0,
     "3.10.7.2 second: any acknowledgement is bad"},
    {SECOND, S(LISTEN), 0, 0, GO_ON, STAY, 0, 0,
     "3.10.7.2 second: no ACK"},
    {THIRD, S(LISTEN), SYN | FIN, 0, 0, STAY, 0, 0,
     "D17: a SYN with FIN is dropped"},
    {THIRD, S(LISTEN), SYN, 0, SEND_SYN_ACK, TO(SYN_RECEIVED), 0, 0,
     "3.10.7.2 third: SYN-RECEIVED; text is not kept (D4)"},
    {THIRD, S(LISTEN), 0, 0, GO_ON, STAY, 0, 0,
     "3.10.7.2 third: no SYN"},
    {FOURTH, S(LISTEN), 0, 0, 0, STAY, 0, 0,
     "3.10.7.2 fourth: drop the segment"},

    /* ---- 3.10.7.3 SYN-SENT ------------------------------------------------------------------- */
    {FIRST, S(SYN_SENT), ACK | RST, ACK_NEW, 0, STAY, 0, 0,
     "3.10.7.3 first: not of our SYN, and a RST: drop"},
    {FIRST, S(SYN_SENT), ACK, ACK_NEW, SEND_RST, STAY, 0, 0,
     "3.10.7.3 first, 3.5.2 (2): SEG.ACK =< ISS or SEG.ACK > SND.NXT: reset"},
    {FIRST, S(SYN_SENT), 0, 0, GO_ON, STAY, 0, 0,
     "3.10.7.3 first: acceptable, or no ACK"},
    {SECOND, S(SYN_SENT), RST | ACK, 0, 0, TO(CLOSED), SANWO_ECONNREFUSED, TELL(CLOSED),
     "3.10.7.3 second, RFC 5961 3.2: a RST that acknowledges our SYN"},
    {SECOND, S(SYN_SENT), RST, 0, 0, STAY, 0, 0,
     "3.10.7.3 second: a RST without ACK is dropped"},
    {SECOND, S(SYN_SENT), 0, 0, GO_ON, STAY, 0, 0,
     "3.10.7.3 second: no RST"},
    {THIRD, S(SYN_SENT), 0, 0, GO_ON, STAY, 0, 0,
     "3.10.7.3 third: security, obsolete"},
    {FOURTH, S(SYN_SENT), SYN | FIN, 0, 0, STAY, 0, 0,
     "D17: a SYN with FIN is dropped"},
    {FOURTH, S(SYN_SENT), SYN | ACK, 0, TAKE_SYN | TAKE_ACK | TAKE_WINDOW | SEND_ACK,
     TO(ESTABLISHED), 0, TELL(CONNECTED),
     "3.10.7.3 fourth: our SYN has been ACKed; text is not kept (D4)"},
    {FOURTH, S(SYN_SENT), SYN, 0, TAKE_SYN | TAKE_WINDOW | SEND_SYN_ACK, TO(SYN_RECEIVED), 0, 0,
     "3.10.7.3 fourth: simultaneous open (MUST-10); text is not kept (D4)"},
    {FOURTH, S(SYN_SENT), 0, 0, GO_ON, STAY, 0, 0,
     "3.10.7.3 fourth: no SYN"},
    {FIFTH, S(SYN_SENT), 0, 0, 0, STAY, 0, 0,
     "3.10.7.3 fifth: neither SYN nor RST: drop"},

    /* ---- 3.10.7.4 TIME-WAIT: all that can happen in it --------------------------------------- */
    {FIRST, S(TIME_WAIT), RST, 0, 0, STAY, 0, 0,
     "D6, RFC 1337 3 fix 1: a RST is ignored"},
    {FIRST, S(TIME_WAIT), SYN | LISTENED | TIMESTAMPS | TS_NEW, ACK | FIN, SEND_NEW_SYN, TO(CLOSED),
     0, 0, "RFC 6191 2, SHLD-4, D23: timestamps before and now, and a newer one: opens anew"},
    {FIRST, S(TIME_WAIT), SYN | LISTENED | TS_THERE, ACK | FIN | TIMESTAMPS, SEND_NEW_SYN,
     TO(CLOSED), 0, 0,
     "RFC 6191 2, D23: no timestamps before, but now: opens anew"},
    {FIRST, S(TIME_WAIT), SYN | LISTENED | SEQ_NEWER, ACK | FIN | TS_OLD, SEND_NEW_SYN, TO(CLOSED),
     0, 0, "RFC 6191 2, MAY-2, D23: none now, or the same, and above the FIN's number: opens anew"},
    {FIRST, S(TIME_WAIT), SYN, 0, SEND_ACK, STAY, 0, 0,
     "fourth, RFC 5961 4.2: any other SYN earns a challenge ACK"},
    {FIRST, S(TIME_WAIT), TIMESTAMPS, TS_THERE, 0, STAY, 0, 0,
     "RFC 7323 3.2: without the option that was agreed on: silently drop"},
    {FIRST, S(TIME_WAIT), TIMESTAMPS | TS_OLD, 0, SEND_ACK, STAY, 0, 0,
     "RFC 7323 5.3 R1 (PAWS): an ACK in reply, drop"},
    {FIRST, S(TIME_WAIT), FIN | ACK | FIN_AGAIN, 0, SEND_ACK | RESTART, STAY, 0, 0,
     "fifth: a retransmission of the remote FIN; acknowledge it, and restart 2 MSL"},
    {FIRST, S(TIME_WAIT), LENGTH, 0, SEND_ACK, STAY, 0, 0,
     "first, 3.5.2 (3), D7: what carries data or FIN is answered"},
    {FIRST, S(TIME_WAIT), 0, 0, 0, STAY, 0, 0,
     "D7: a bare ACK is not answered"},

    /* ---- 3.10.7.4 first: sequence number ----------------------------------------------------- */
    {FIRST, OTHERS, RST | SEQ_EXACT, 0, GO_ON, STAY, 0, 0,
     "second (2): RST at RCV.NXT counts, with a closed window (MUST-66), and with data (SHLD-2)"},
    {FIRST, OTHERS, RST, SEQ_IN, 0, STAY, 0, 0,
     "second (1), RFC 5961 3.2 (1): RST outside the window: silently drop"},
    {FIRST, OTHERS, RST, 0, GO_ON, STAY, 0, 0,
     "first: RST inside the window"},
    {FIRST, S(SYN_RECEIVED), SYN | SEQ_IRS | PASSIVE, ACK, SEND_SYN_ACK, STAY, 0, 0,
     "D15: the SYN again: the SYN-ACK again"},
    {FIRST, OTHERS, TIMESTAMPS | PASSIVE, TS_THERE, 0, STAY, 0, 0,
     "RFC 7323 3.2: without the option that was agreed on: silently drop"},
    {FIRST, OTHERS, TIMESTAMPS, TS_THERE | SYN, 0, STAY, 0, 0,
     "RFC 7323 3.2: the same; but a SYN is challenged (RFC 5961 4.2): it may be of a new life"},
    {FIRST, OTHERS, TIMESTAMPS | TS_OLD | PASSIVE, LENGTH, 0, STAY, 0, 0,
     "RFC 7323 5.3 R1 (PAWS); D11: what carries nothing is not answered"},
    {FIRST, OTHERS, TIMESTAMPS | TS_OLD, 0, SEND_ACK, STAY, 0, 0,
     "RFC 7323 5.3 R1 (PAWS): an ACK in reply, drop"},
    {FIRST, S(SYN_RECEIVED), SYN | ACK | SEQ_IRS, PASSIVE, GO_ON | TRIM, STAY, 0, 0,
     "3.5 figure 8 line 6, A.2: the peer's SYN crosses ours and comes with its ACK"},
    {FIRST, S(FIN_WAIT_1), SYN | ACK | SEQ_IRS | SYN_OUT, 0, GO_ON | TRIM, STAY, 0, 0,
     "3.5 figure 8 line 6, A.2: the same after CLOSE in SYN-RECEIVED (3.10.4)"},
    {FIRST, OTHERS, SYN, PASSIVE, GO_ON, STAY, 0, 0,
     "fourth, RFC 5961 4.2: a SYN is seen to irrespective of the sequence number"},
    {FIRST, S(SYN_RECEIVED), PASSIVE, ACCEPTABLE | LENGTH, 0, STAY, 0, 0,
     "D11: a half-open record does not answer what carries nothing"},
    {FIRST, S(SYN_RECEIVED), 0, ACCEPTABLE, SEND_ACK, STAY, 0, 0,
     "first: not acceptable: an ACK in reply, drop"},
    {FIRST, SYNCHRONISED, SEQ_EXACT | FIN, TEXT | WINDOW_OPEN, GO_ON, STAY, 0, 0,
     "D27: closed window: a FIN needs no room"},
    {FIRST, SYNCHRONISED, SEQ_EXACT | TEXT, WINDOW_OPEN, GO_ON | NO_TEXT | SEND_ACK, STAY, 0, 0,
     "first, MUST-66: closed window: no text, but valid ACKs and URGs count"},
    {FIRST, SYNCHRONISED, SEQ_NEXT, WINDOW_OPEN, GO_ON | NO_TEXT | SEND_ACK, STAY, 0, 0,
     "first, MUST-66, A.2: closed window, and the peer has a probe's byte out: the same"},
    {FIRST, SYNCHRONISED, ALL_OLD | ACK_NEW, ACCEPTABLE | ACK_OF_FIN | SYN_OUT, TAKE_ACK | SEND_ACK,
     STAY, 0, 0,
     "first, A.2: old text, but news of ours: the ACK counts, unless it would end the connection"},
    {FIRST, SYNCHRONISED, 0, ACCEPTABLE, SEND_ACK, STAY, 0, 0,
     "first, 3.5.2 (3): not acceptable: an ACK in reply, drop"},
    {FIRST, OTHERS, 0, 0, GO_ON | TRIM, STAY, 0, 0,
     "first: acceptable: only what is in the window is processed"},

    /* ---- second: RST ------------------------------------------------------------------------- */
    {SECOND, OTHERS, 0, RST, GO_ON, STAY, 0, 0,
     "second: no RST"},
    {SECOND, OTHERS, 0, SEQ_EXACT, SEND_ACK, STAY, 0, 0,
     "second (3), RFC 5961 3.2 (3): inside the window, not at RCV.NXT: challenge ACK"},
    {SECOND, S(SYN_RECEIVED), PASSIVE, 0, 0, TO(LISTEN), 0, 0,
     "second, 3.5.3: came from LISTEN: back to it; the user need not be informed"},
    {SECOND, S(SYN_RECEIVED), 0, 0, 0, TO(CLOSED), SANWO_ECONNREFUSED, TELL(CLOSED),
     "second, MUST-11: an active open was refused"},
    {SECOND, RECEIVING | S(CLOSE_WAIT), 0, 0, 0, TO(CLOSED), SANWO_ECONNRESET, TELL(CLOSED),
     "second: connection reset"},
    {SECOND, S(CLOSING) | S(LAST_ACK), 0, 0, 0, TO(CLOSED), 0, TELL(CLOSED),
     "second: enter CLOSED"},
    {THIRD, OTHERS, 0, 0, GO_ON, STAY, 0, 0,
     "third: security, obsolete"},

    /* ---- fourth: SYN ------------------------------------------------------------------------- */
    {FOURTH, OTHERS, 0, SYN, GO_ON, STAY, 0, 0,
     "fourth: no SYN"},
    {FOURTH, S(SYN_RECEIVED), PASSIVE, 0, 0, TO(LISTEN), 0, 0,
     "fourth: came from LISTEN: back to it"},
    {FOURTH, OTHERS, 0, 0, SEND_ACK, STAY, 0, 0,
     "fourth, RFC 5961 4.2: challenge ACK"},

    /* ---- fifth: ACK -------------------------------------------------------------------------- */
    {FIFTH, OTHERS, 0, ACK, 0, STAY, 0, 0,
     "fifth: the ACK bit is off: drop"},
    {FIFTH, S(SYN_RECEIVED), 0, ACK_NEW, SEND_RST, STAY, 0, 0,
     "fifth, 3.5.2 (2): not of our SYN: reset"},
    {FIFTH, S(SYN_RECEIVED), PASSIVE, 0, GO_ON | TAKE_TS | TAKE_ACK | TAKE_WINDOW, TO(ESTABLISHED),
     0, TELL(ACCEPT),
     "fifth: ESTABLISHED, of a passive open"},
    {FIFTH, S(SYN_RECEIVED), 0, 0, GO_ON | TAKE_TS | TAKE_ACK | TAKE_WINDOW, TO(ESTABLISHED),
     0, TELL(CONNECTED),
     "fifth: ESTABLISHED, of a simultaneous open"},
    {FIFTH, SYNCHRONISED, 0, ACK_IN_RANGE, SEND_ACK, STAY, 0, 0,
     "fifth, RFC 5961 5.2 (MAY-12): too old or not yet sent: an ACK back, discard"},
    {FIFTH, RECEIVING | S(CLOSE_WAIT), 0, ACK_NOT_OLD, GO_ON | TAKE_TS, STAY, 0, 0,
     "fifth: a duplicate (SEG.ACK < SND.UNA): ignored, its text is not"},
    {FIFTH, S(FIN_WAIT_1), SYN_OUT | ACK_NEW | ACK_OF_FIN, 0,
     GO_ON | TAKE_TS | TAKE_ACK | TAKE_WINDOW, TO(FIN_WAIT_2), 0, TELL(CONNECTED),
     "fifth, after CLOSE in SYN-RECEIVED: our SYN and our FIN are acknowledged: FIN-WAIT-2"},
    {FIFTH, S(FIN_WAIT_1), SYN_OUT | ACK_NEW, 0, GO_ON | TAKE_TS | TAKE_ACK | TAKE_WINDOW, STAY,
     0, TELL(CONNECTED),
     "fifth, after CLOSE in SYN-RECEIVED: our SYN is acknowledged"},
    {FIFTH, S(FIN_WAIT_1), ACK_OF_FIN, 0, GO_ON | TAKE_TS | TAKE_ACK | TAKE_WINDOW, TO(FIN_WAIT_2),
     0, 0,
     "fifth: our FIN is acknowledged: FIN-WAIT-2"},
    {FIFTH, S(CLOSING), ACK_OF_FIN, 0, TAKE_ACK | TAKE_WINDOW, TO(TIME_WAIT), 0, TELL(CLOSED),
     "fifth: our FIN is acknowledged: TIME-WAIT"},
    {FIFTH, S(LAST_ACK), ACK_OF_FIN, 0, TAKE_ACK | TAKE_WINDOW, TO(CLOSED), 0, TELL(CLOSED),
     "fifth: our FIN is acknowledged: CLOSED"},
    {FIFTH, S(CLOSING) | S(LAST_ACK), ACK_NOT_OLD, 0, TAKE_ACK | TAKE_WINDOW, STAY, 0, 0,
     "fifth: not our FIN, but perhaps text of ours; the rest is ignored"},
    {FIFTH, S(CLOSING) | S(LAST_ACK), 0, 0, 0, STAY, 0, 0,
     "fifth: an old acknowledgement: ignore the segment"},
    {FIFTH, SYNCHRONISED, 0, 0, GO_ON | TAKE_TS | TAKE_ACK | TAKE_WINDOW, STAY, 0, 0,
     "fifth: SND.UNA =< SEG.ACK =< SND.NXT: SND.UNA <- SEG.ACK, SND.WND <- SEG.WND"},

    /* ---- sixth: URG -------------------------------------------------------------------------- */
    {SIXTH, RECEIVING, URG | URGENT_NEWS, 0, GO_ON, STAY, 0, TELL(URGENT),
     "sixth, MUST-32: signal the user"},
    {SIXTH, SYNCHRONISED, 0, 0, GO_ON, STAY, 0, 0,
     "sixth: no URG, nothing new, or after the peer's FIN"},

    /* ---- seventh: text ----------------------------------------------------------------------- */
    {SEVENTH, S(CLOSE_WAIT), 0, 0, GO_ON, STAY, 0, 0,
     "seventh: after the peer's FIN: ignore the segment text"},
    {SEVENTH, S(FIN_WAIT_1) | S(FIN_WAIT_2), TEXT | LET_GO, 0, ABORT, TO(CLOSED), 0, 0,
     "3.6.1 SHLD-3, D13: new data after CLOSE: a RST shows that it is lost"},
    {SEVENTH, RECEIVING, TEXT, 0, GO_ON | TAKE_TEXT | SEND_ACK, STAY, 0, 0,
     "seventh: deliver it and acknowledge; behind a hole, hold it (SHLD-31) and acknowledge too"},
    {SEVENTH, RECEIVING, 0, 0, GO_ON, STAY, 0, 0,
     "seventh: no text"},

    /* ---- eighth: FIN ------------------------------------------------------------------------- */
    {EIGHTH, RECEIVING | S(CLOSE_WAIT), 0, FIN, 0, STAY, 0, 0,
     "eighth: no FIN"},
    {EIGHTH, S(CLOSE_WAIT), 0, 0, 0, STAY, 0, 0,
     "eighth: remain in CLOSE-WAIT; nothing follows the peer's FIN"},
    {EIGHTH, RECEIVING, 0, FIN_REACHED, HOLD_FIN | SEND_ACK, STAY, 0, 0,
     "eighth, SHLD-31: text before it is missing: it waits"},
    {EIGHTH, S(ESTABLISHED), 0, 0, TAKE_FIN | SEND_ACK, TO(CLOSE_WAIT), 0, TELL(PEER_CLOSED),
     "eighth, MUST-12: enter CLOSE-WAIT"},
    {EIGHTH, S(FIN_WAIT_1), 0, 0, TAKE_FIN | SEND_ACK, TO(CLOSING), 0, TELL(PEER_CLOSED),
     "eighth: ours has not been ACKed: enter CLOSING"},
    {EIGHTH, S(FIN_WAIT_2), 0, 0, TAKE_FIN | SEND_ACK, TO(TIME_WAIT), 0,
     TELL(PEER_CLOSED) | TELL(CLOSED),
     "eighth: ours has been ACKed: enter TIME-WAIT"},
};
/* clang-format on */

const unsigned rule_count = sizeof(rules) / sizeof(rules[0]);
