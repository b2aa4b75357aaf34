// The order of names in the contract: that of their UTF-8 bytes. Pure.
//
// JavaScript compares texts by UTF-16 units, in which the characters beyond U+FFFF come before U+E000 to U+FFFF.

/** Less than, equal to or greater than 0, as the bytes of `one` come before, are, or come after those of `other`. */
export function byBytes(one: string, other: string): number {
  const common = Math.min(one.length, other.length);
  for (let at = 0; at < common; at++) {
    const [first, second] = [one.charCodeAt(at), other.charCodeAt(at)];
    if (first !== second) return rank(first) - rank(second);
  }
  return one.length - other.length;
}

/** How many bytes the text has in UTF-8. */
export function byteLength(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // Each half of a pair counts for two of its four bytes.
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff)) bytes += 2;
    else bytes += 3;
  }
  return bytes;
}

/** Halves of pairs behind all other units. */
function rank(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800;
  return unit >= 0xd800 ? unit + 0x2000 : unit;
}
