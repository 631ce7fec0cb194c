"""Damages dose reports at random, and holds what becomes of them against rules that no input may
break.

In the suite by tests/unit/test_fuzz.py, a fixed number; longer by hand, any number of minutes, with
another seed each time:

    python -m tests.fuzz --minutes 10 --seed 3         run (make test-long does both)
    python -m tests.fuzz --store plugin --minutes 10   the same objects sent to a running Orthanc
    python -m tests.fuzz --seed 3 --only 1234          the one object that a run named, with the
    whole trace

An object depends on the seed and its number alone. Two kinds of damage: to the bytes of a file,
which mostly breaks it; and to its tree of elements, written again without a fault in form, of which
we then know what a reader must find."""
