/**
 * The text about skipped lines and files in a description; '' if there are none. `leftOutText(2) // '; left out: 2'`
 */
export function leftOutText(number: number): string {
  return number === 0 ? '' : `; left out: ${number.toLocaleString('en-US')}`;
}

/** count(1200, 'byte') // "1,200 bytes" */
export function count(n: number, noun: string): string {
  return `${n.toLocaleString('en-US')} ${noun}${n === 1 ? '' : 's'}`;
}
