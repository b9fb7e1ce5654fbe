import Glibc

exit(SimulateProgram.run())
