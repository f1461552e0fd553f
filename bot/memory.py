"""How the interpreter is set once a process has started: its garbage collector, and how its threads take turns."""

import gc
import sys

GC_THRESHOLDS = (20_000, 20, 20)
# Seconds that a thread may compute while another one waits for its turn. A press changes threads some ten times between
# request and answer; at Python's 5 ms, a busy writer cost it 50 ms.
TURN = 0.001


def take_short_turns() -> None:
    """Let threads that wait for their turn have it sooner."""
    sys.setswitchinterval(TURN)


def hold_collector() -> None:
    """Do without the garbage collector until ``settle_memory``: a start makes hundreds of thousands of objects that
    stay, and walking through them again and again was a quarter of its processor time."""
    gc.disable()


def settle_memory() -> None:
    """Take what start-up made (modules, tables, words) out of the garbage collector's sight and let it look less often:
    walking through all of it took up to a quarter of a second, again and again, while messages waited. Nothing is
    collected before: of half a million objects, some two thousand were garbage."""
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    gc.enable()
