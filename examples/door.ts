// The zero door alone: bytes become slots of exact channels, with nothing learned and no device.
import { channelNames, decode, embed, encode, zeroInput } from 'byte-to-loss/substrate';

const bytes = new TextEncoder().encode('Hello, byte!');
const { data, shape } = zeroInput(bytes, { K: 4, dim: 128 }); // 12 bytes are 3 slots of 4
const { features } = embed(bytes); // [12, 27]

console.log(`slots [${shape}], ${data.filter((x) => x !== 0).length} of ${data.length} numbers are not zero`);
const named = channelNames().map((name, c) => `${name}=${features[c]}`);
console.log(`'H' is ${named.slice(0, 8).join(' ')}`);
console.log(`and back: ${new TextDecoder().decode(decode(encode(bytes)))}`);
