/**
 * The user agents that load the images of an opened mail: the image proxies of mail providers (Gmail, Yahoo and
 * others), Apple's privacy proxy, which sends a bare `Mozilla/5.0`, and mail programs. isbot takes most of them for
 * bots.
 */
const MAIL_OPENERS = [
  /(?:image|mail) ?proxy/i,
  /^YahooCacheSystem\b/i,
  /^Mozilla\/\d\.\d$/,
  /\b(?:Outlook|Thunderbird|Airmail|SamsungEmail|Superhuman)\b/i,
  /^(?:Apple-?|Mobile)?Mail\b/i
]

/**
 * Returns whether a user agent shows the images of a mail to a person. Only for the pixel: on other routes the same
 * user agents belong to programs.
 *
 * @example
 * isMailOpener('YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html') // true
 */
export function isMailOpener (userAgent: string): boolean {
  return MAIL_OPENERS.some((pattern) => pattern.test(userAgent))
}
