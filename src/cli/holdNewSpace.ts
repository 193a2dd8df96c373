import { setFlagsFromString } from 'node:v8';

// V8 lets its space for new objects grow to 32 MiB while a process starts, and shrinks it at an arbitrary time. With a
// fixed size, the memory of a long run is constant. Import this file before any large module.
setFlagsFromString('--semi-space-growth-factor=1');
