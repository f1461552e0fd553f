"""How the garbage collector is set once a process has started."""

import gc

GC_THRESHOLDS = (20_000, 20, 20)


def settle_memory() -> None:
    """Take what start-up made (modules, tables, words) out of the garbage collector's sight and let it look less often:
    walking through all of it took up to a quarter of a second, again and again, while messages waited."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
