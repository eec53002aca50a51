/** "bf_c7dd40" of "bf_c7dd400e07e54cd6a5b6": for sentences and buttons, where the whole id would hide the rest. */
export function shortId(id: string): string {
  return id.length > 12 ? id.slice(0, 9) : id;
}
