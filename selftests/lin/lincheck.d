lincheck: lincheck.c lin.h
lin.h:
