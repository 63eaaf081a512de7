const POSITION = /at position (\d{1,9})/

/**
 * Returns for the log where `JSON.parse` failed. The message of the engine may quote the body, so only the position is
 * taken from it.
 *
 * @example
 * jsonProblem(error)  // 'error at character 17'
 */
export function jsonProblem (error: unknown): string {
  const message = error instanceof SyntaxError ? error.message : ''
  const position = POSITION.exec(message)?.[1]
  if (position !== undefined) return `error at character ${position}`
  return message.startsWith('Unexpected end') ? 'the JSON ends too early' : 'a character is not JSON'
}
