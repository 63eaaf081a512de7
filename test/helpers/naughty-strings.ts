/** Texts that break what handles text carelessly: each is legal in JSON. */
export const NAUGHTY: readonly string[] = [
  // Words that languages read as something else
  'undefined', 'null', 'NULL', 'true', 'NaN', 'Infinity', '-0', '1e1000', '0x0', '007', '1,000.00', '__proto__', 'constructor', 'hasOwnProperty', 'then', '$where', '[object Object]',
  // Signs that end or start something
  '"', "'", '`', '\\', '\\\\"', '\\u0000', '$' + '{7*7}', '{{7*7}}', '<%= 7*7 %>', '%s%n%d', '%00', '..\\..\\', '../../etc/passwd', '/dev/null; touch x', '$(touch x)', '`touch x`', '| cat', ',', ']', '}', '},{',
  // SQL, HTML, CSV, headers, logs
  "' OR 1=1 --", "'; DROP TABLE events; --", '1;SELECT pg_sleep(10)', '$1', '$$x$$', "E'\\\\'", '<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', 'javascript:alert(1)', '&lt;&amp;',
  '</script>', '<!--', ']]>', '=cmd|calc', '@SUM(1)', 'a\r\nSet-Cookie: x=1', '\u001b[31mred\u001b[0m', '\u0007\b\f\v',
  // Unicode
  'Ω≈ç√∫˜µ≤≥÷', 'Größe 1½″', '田中さんにあげて下さい', 'الكل في المجمو عة', '\u202eright to left\u202c', '\u2066isolate\u2069', 'e\u0301 is not \u00e9', 'ﬁ ﬀ', 'İıſß',
  '👩‍👩‍👧‍👦🇩🇪👍🏿', '𝕳𝖊𝖑𝖑𝖔', 'Z̡͖̗a̷̳l͔̙g͢o', '\ufeffmark', '\u200b\u200c\u200d', '\u2028\u2029', '\u0085\u00a0\u3000', '\ufffd\ufffe\uffff', '\u{10ffff}', '１２３', '①②③',
  // What a text column or UTF-8 can't hold
  '\0', 'a\0b', '\ud800', '\udfff', 'a\udc00b', '\udc00\ud800', '\ud83d', '\ud800\ud800\udc00',
  // Nothing, and spaces
  '', ' ', '\t', '\n', '   a   '
]
