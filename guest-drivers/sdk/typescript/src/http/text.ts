// Texts for URLs, and texts of others for people. Pure.

const LONGEST_SHOWN = 200;
const UNRESERVED = /[A-Za-z0-9\-._~]/;

/** Percent-encodes all but letters, digits and `-._~`: for a part of a query, or one segment of a path. */
export function percent(text: string): string {
  let encoded = '';
  for (const byte of new TextEncoder().encode(text)) {
    const character = String.fromCharCode(byte);
    const plain = byte < 0x80 && UNRESERVED.test(character);
    encoded += plain ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/** Undoes percent-encoding; a `%` that begins no code stays. Undefined when the bytes are not UTF-8. */
export function percentDecode(text: string): string | undefined {
  const bytes: number[] = [];
  const source = new TextEncoder().encode(text);
  for (let at = 0; at < source.length; at++) {
    const digits = String.fromCharCode(...source.slice(at + 1, at + 3));
    if (source[at] === 0x25 && /^[0-9a-fA-F]{2}$/.test(digits)) {
      bytes.push(Number.parseInt(digits, 16));
      at += 2;
    } else {
      bytes.push(source[at] ?? 0);
    }
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(new Uint8Array(bytes));
  } catch {
    return undefined;
  }
}

/** A text that someone else made, fit for an error or a log: one line, no control characters, at most 200 characters. */
export function shown(text: string): string {
  const line = text.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
  const characters = Array.from(line.slice(0, 2 * LONGEST_SHOWN + 2));
  return characters.length <= LONGEST_SHOWN ? line : `${characters.slice(0, LONGEST_SHOWN).join('')}...`;
}

/** Whether the text is one to twenty decimal digits: conversion alone would take signs, spaces and other notations. */
export function isDigits(text: string): boolean {
  return /^[0-9]{1,20}$/.test(text);
}
