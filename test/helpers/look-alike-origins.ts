/** Forty origins that a careless comparison takes for `https://shop.example.com`. */
export const LOOK_ALIKES: readonly string[] = [
  'https://shop.example.com.evil.test', 'https://shop.example.com.', 'https://shop.example.com..', 'https://evil-shop.example.com',
  'https://evilshop.example.com', 'https://shop.example.comm', 'https://shop.example.co', 'https://shop.example.com-evil.test',
  'https://shop.example.com@evil.test', 'https://evil.test@shop.example.com', 'https://evil.test#shop.example.com', 'https://evil.test?shop.example.com',
  'https://evil.test/shop.example.com', 'https://evil.test/https://shop.example.com', 'https://evil.test\\@shop.example.com',
  'https://evil.test\\.shop.example.com', 'https://shop.example.com%2eevil.test', 'https://shop.example.com%00.evil.test', 'https://shop.example.com%20',
  'https://shop%2eexample%2ecom', 'https://shopXexample.com', 'https://shop-example.com', 'https://shop.example_com', 'https://shop.example.com_.evil.test',
  'https://shop.example.com:8443', 'https://shop.example.com:443', 'https://shop.example.com:', 'https://shop.example.com:443.evil.test',
  'http://shop.example.com', 'HTTPS://shop.example.com', 'https://Shop.example.com', 'https:shop.example.com', 'https:/shop.example.com',
  'https:///shop.example.com', '//shop.example.com', 'shop.example.com', 'wss://shop.example.com', 'https://example.com', 'https://a.shop.example.com',
  'https://ｓhop.example.com'
]
