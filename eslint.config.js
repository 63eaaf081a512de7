import neostandard from 'neostandard'
import tseslint from 'typescript-eslint'

const layers = ['schemas', 'signing', 'plugins', 'routes', 'demo']

// Data flows one way: a layer may import the layers before it, never those after.
const oneWay = layers.map((layer, at) => ({
  files: [`${layer}/**/*.ts`],
  rules: {
    'no-restricted-imports': ['error', {
      patterns: [
        {
          group: [...layers.slice(at + 1), 'testing', 'test', 'bench'].flatMap((later) => [`../${later}/*`, `../${later}/**`, `../../${later}/**`, `../../../${later}/**`]),
          message: `${layer}/ must not import a later layer (${layers.join(' <- ')}).`
        }
      ]
    }]
  }
}))

const oneReader = 'A raw address may have a port, brackets or another form, or be no address: read it by a function of plugins/client-address.ts.'
const rawAddresses = [
  'MemberExpression[object.name=/^(request|req)$/i][property.name=/^ips?$/]',
  'ObjectPattern[typeAnnotation.typeAnnotation.typeName.name=/Request$/] > Property[key.name=/^ips?$/]',
  ':not(CallExpression[callee.name=/^(plainAddress|clientNetwork)$/]) > MemberExpression[property.name="remoteAddress"]'
]

export default [
  ...neostandard({ ts: true, ignores: ['dist/**', '.tap/**', 'coverage/**', 'test/vectors/**', 'web/collector/d.js', 'web/browser/browser.js'] }),
  ...tseslint.configs.strict.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-empty-object-type': ['error', { allowInterfaces: 'always' }],
      '@typescript-eslint/no-dynamic-delete': 'off',
      'max-len': ['error', { code: 160, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreUrls: true, ignoreRegExpLiterals: true }]
    }
  },
  {
    // Error classes carry the code that goes on the wire as their name.
    files: ['**/*.ts'],
    rules: { camelcase: 'off', 'new-cap': 'off' }
  },
  {
    files: ['plugins/**/*.ts', 'routes/**/*.ts', 'demo/**/*.ts'],
    ignores: ['plugins/client-address.ts'],
    rules: { 'no-restricted-syntax': ['error', ...rawAddresses.map((selector) => ({ selector, message: oneReader }))] }
  },
  {
    // Browsers get nothing of the server but its types.
    files: ['web/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', {
        patterns: [{ group: [...layers.slice(1), 'testing', 'test', 'bench'].flatMap((layer) => [`../${layer}/**`, `../../${layer}/**`]), message: 'web/ shares only the types of schemas/.' }]
      }]
    }
  },
  ...oneWay,
  {
    files: ['testing/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', {
        patterns: [{ group: ['routes', 'demo', 'test', 'bench'].flatMap((layer) => [`../${layer}/**`, `../../${layer}/**`]), message: 'testing/ knows the interfaces and no routes.' }]
      }]
    }
  }
]
