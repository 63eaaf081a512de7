/** Fetches and solves a challenge, and returns the value of `X-Captcha-Token`. `within` is in milliseconds. */
export function solveCaptcha (url?: string, options?: { within?: number }): Promise<string>
