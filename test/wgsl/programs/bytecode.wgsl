// A stack machine: one program per invocation, with jumps, a private stack that functions reach by pointer, and faults.
struct Machine { pc: u32, top: i32, fault: u32, stack: array<i32, 8> }
@group(0) @binding(0) var<storage, read> code: array<u32>; // operation | operand << 8
@group(0) @binding(1) var<storage, read> starts: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<array<i32, 4>>;
const PUSH = 0; const ADD = 1; const MUL = 2; const DIV = 3; const DUP = 4; const JUMP_IF = 5; const SWAP = 6; const HALT = 7; const SHIFT = 8; const REM = 9;
var<private> steps: i32;

fn push(m: ptr<function, Machine>, value: i32) {
  if (m.top >= 8) { m.fault |= 1u; return; }
  m.stack[m.top] = value;
  m.top++;
}

fn pop(m: ptr<function, Machine>) -> i32 {
  if (m.top <= 0) { m.fault |= 2u; return 0; }
  (*m).top -= 1;
  return (*m).stack[(*m).top];
}

fn step(m: ptr<function, Machine>) -> bool {
  let word = code[m.pc];
  m.pc++;
  let operand = bitcast<i32>(word) >> 8;
  switch (i32(word & 0xffu)) {
    case PUSH: { push(m, operand); }
    case ADD, MUL, DIV, REM, SHIFT: {
      let b = pop(m);
      let a = pop(m);
      var r: i32;
      switch (word & 0xffu) {
        case 1u: { r = a + b; }
        case 2u: { r = a * b; }
        case 3u: { r = a / b; }
        case 9u: { r = a % b; }
        default: { r = a << u32(b); }
      }
      push(m, r);
    }
    case DUP: { let a = pop(m); push(m, a); push(m, a); }
    case SWAP: { let b = pop(m); let a = pop(m); push(m, b); push(m, a); }
    case JUMP_IF: { if (pop(m) != 0) { m.pc = u32(i32(m.pc) + operand); } }
    case HALT, default: { return false; }
  }
  steps++;
  return m.fault == 0u;
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= arrayLength(&starts)) { return; }
  var m = Machine(starts[id.x], 0, 0u, array<i32, 8>());
  while (steps < 200 && step(&m)) { }
  out[id.x] = array(m.stack[0], m.stack[1], i32(m.fault) * 256 + m.top, steps);
}
