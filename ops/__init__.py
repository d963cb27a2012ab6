"""Operations: the stack launcher, the command line, replay, rebuild, time travel, what-if and checks."""
