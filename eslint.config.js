import neostandard from 'neostandard'
import tseslint from 'typescript-eslint'

const layers = ['schemas', 'signing', 'contracts', 'lib', 'plugins', 'routes', 'server']
const outside = ['conformance', 'test', 'bench', 'examples']

/** Every relative spelling of a path into one of the folders. */
const pathsInto = (folders) => folders.flatMap((folder) => [`**/../${folder}`, `**/../${folder}/**`])

/** Refuses imports of the layers after one. */
const laterThan = (layer) => ({
  group: pathsInto([...layers.slice(layers.indexOf(layer) + 1), ...outside]),
  message: `${layer}/ must not import a later layer (${layers.join(' <- ')}).`
})

// Data flows one way: a layer may import the layers before it, never those after.
const oneWay = layers.map((layer) => ({
  files: [`${layer}/**/*.ts`],
  rules: { 'no-restricted-imports': ['error', { patterns: [laterThan(layer)] }] }
}))

/** At each depth below plugins/, the relative paths that stay in plugins/ but leave the folder of the plugin. */
const OTHER_PLUGINS = ['^\\./', '^\\.\\./(?!\\.\\./)', '^\\.\\./\\.\\./(?!\\.\\./)']

// Plugins meet through decorators, whose types are in contracts/.
const plugins = OTHER_PLUGINS.map((regex, depth) => ({
  files: [`plugins/${'*/'.repeat(depth)}*.ts`],
  rules: {
    'no-restricted-imports': ['error', {
      patterns: [laterThan('plugins'), {
        regex,
        message: 'A plugin must not import another plugin: use its decorator, and the types of contracts/.'
      }]
    }]
  }
}))

const oneReader =
  'A raw address may have a port, brackets or another form, or be no address: read it by a function of ' +
    'lib/http/client-address.ts.'
const rawAddresses = [
  'MemberExpression[object.name=/^(request|req)$/i][property.name=/^ips?$/]',
  'ObjectPattern[typeAnnotation.typeAnnotation.typeName.name=/Request$/] > Property[key.name=/^ips?$/]',
  ':not(CallExpression[callee.name=/^(plainAddress|clientNetwork)$/]) > MemberExpression[property.name="remoteAddress"]'
].map((selector) => ({ selector, message: oneReader }))

// In lib/ the modules that need such a package are loaded by import() alone.
const optionalPackages = {
  selector: 'ImportDeclaration[importKind="value"][source.value=/^(kysely|pg|ioredis|otplib|nodemailer|@nats-io|@node-rs|@simplewebauthn|jose|openid-client|@node-saml|@xmldom|xml-crypto)(\\u002F|$)/]',
  message: 'This package is optional: import its types only, and import() it where it is used.'
}

const noTimes =
  'A test must not assert how long something takes: count the work, hold the timers, stop the clock or assert the ' +
    'order of events.'
const READS_CLOCK = 'CallExpression[callee.object.name=/^(performance|Date)$/][callee.property.name="now"]'
const measuredTimes = [
  `BinaryExpression[operator=/^[<>]=?$/] > BinaryExpression[operator="-"] > ${READS_CLOCK}`,
  'CallExpression[callee.object.name="process"][callee.property.name=/^(cpuUsage|resourceUsage|hrtime)$/]',
  'CallExpression[callee.object.object.name="process"][callee.object.property.name="hrtime"]'
]

export default [
  ...neostandard({
    ts: true,
    ignores: ['dist/**', 'examples/*/dist/**', '.tap/**', 'coverage/**', 'test/vectors/**', 'web/collector/d.js',
      'web/browser/browser.js', 'web/{console,guide,start-page}/built/**']
  }),
  ...tseslint.configs.strict.map((config) => ({ ...config, files: ['**/*.{ts,tsx}'] })),
  {
    files: ['**/*.{ts,tsx}'],
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-empty-object-type': ['error', { allowInterfaces: 'always' }],
      '@typescript-eslint/no-dynamic-delete': 'off',
      'max-len': ['error', {
        code: 120,
        ignoreStrings: true,
        ignoreTemplateLiterals: true,
        ignoreUrls: true,
        ignoreRegExpLiterals: true
      }]
    }
  },
  {
    // Error classes carry the code that goes on the wire as their name.
    files: ['**/*.{ts,tsx}'],
    rules: { camelcase: 'off', 'new-cap': 'off' }
  },
  {
    files: ['lib/**/*.ts', 'server/**/*.ts'],
    ignores: ['lib/http/client-address.ts'],
    rules: { 'no-restricted-syntax': ['error', ...rawAddresses] }
  },
  {
    files: ['plugins/**/*.ts', 'routes/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...rawAddresses, optionalPackages] }
  },
  {
    files: ['**/*.ts'],
    rules: {
      'no-restricted-properties': ['error', {
        object: 'URL',
        property: 'canParse',
        message: 'In Node.js 20 it refuses some valid URLs once it is compiled: use parseUrl of signing/parse-url.ts.'
      }]
    }
  },
  {
    files: ['test/**/*.test.ts'],
    rules: { 'no-restricted-syntax': ['error', ...measuredTimes.map((selector) => ({ selector, message: noTimes }))] }
  },
  {
    // Browsers get nothing of the server but its types.
    files: ['web/**/*.{ts,tsx}'],
    rules: {
      'no-restricted-imports': ['error', {
        patterns: [{
          group: pathsInto([...layers.slice(1), ...outside]),
          message: 'web/ shares only the types of schemas/.'
        }]
      }]
    }
  },
  {
    // Lists of facts are arrays of pairs, whose values need no key.
    files: ['web/console/**/*.tsx'],
    rules: { 'react/jsx-key': 'off' }
  },
  ...oneWay,
  ...plugins,
  {
    files: ['conformance/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', {
        patterns: [{
          group: pathsInto(['routes', 'server', 'test', 'bench', 'examples']),
          message: 'conformance/ knows the contracts and no routes.'
        }]
      }]
    }
  },
  {
    files: ['examples/**/*.{js,ts}'],
    rules: {
      'max-len': ['error', { code: 120, ignoreUrls: true }],
      'no-restricted-imports': ['error', {
        patterns: [{ group: ['../../**'], message: 'An example imports the package by its name.' }]
      }]
    }
  }
]
