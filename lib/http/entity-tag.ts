/** Returns whether `If-None-Match` contains the tag, strong or weak: a compressing proxy makes it weak. */
export function namesTag (header: string | undefined, tag: string): boolean {
  return header !== undefined && header.split(',').some((part) => part.trim().replace(/^W\//, '') === tag)
}
