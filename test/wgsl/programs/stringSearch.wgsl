// Knuth, Morris and Pratt: the table of the pattern in private memory, each invocation searches its piece of the text.
const LONGEST = 12u;
struct Pattern { length: u32, bytes: array<vec2u, (LONGEST + 7) / 8> }
struct Found { count: u32, first: i32, last: i32 }
@group(0) @binding(0) var<storage, read> text: array<u32>;
@group(0) @binding(1) var<storage, read> patterns: array<Pattern>;
@group(0) @binding(2) var<storage, read_write> found: array<array<Found, 16>>;
var<private> failure: array<i32, LONGEST + 1>;
var<private> pattern: array<u32, LONGEST>;

fn byteOf(words: vec2u, i: u32) -> u32 { return (words[(i / 4) & 1] >> (i % 4 * 8)) & 255; }

fn prepare(table: ptr<private, array<i32, LONGEST + 1>>, length: u32) {
  (*table)[0] = -1;
  var k = -1;
  for (var i = 0u; i < length; i++) {
    while (k >= 0 && pattern[k] != pattern[i]) { k = (*table)[k]; }
    k++;
    (*table)[i + 1] = k;
  }
}

fn note(place: ptr<storage, Found, read_write>, at: i32) {
  if (place.count == 0) { place.first = at; }
  place.last = at;
  (*place).count += 1;
}

@compute @workgroup_size(4, 2, 2)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group: vec3u) {
  let which = group.y * 2 + group.z;
  if (which >= arrayLength(&patterns)) { return; }
  let length = patterns[which].length;
  for (var i = 0u; i < length; i++) { pattern[i] = byteOf(patterns[which].bytes[i / 8], i % 8); }
  prepare(&failure, length);
  let piece = arrayLength(&text) * 4 / 16;
  var matched = 0;
  // A match may begin in this piece and end in the next.
  let end = min((lane + 1) * piece + length - 1, arrayLength(&text) * 4);
  for (var i = lane * piece; i < end; i++) {
    let byte = (text[i / 4] >> (i % 4 * 8)) & 255;
    while (matched >= 0 && (matched == i32(length) || pattern[matched] != byte)) { matched = failure[matched]; }
    matched++;
    if (matched == i32(length)) { note(&found[which][lane], i32(i) - matched + 1); }
  }
}
