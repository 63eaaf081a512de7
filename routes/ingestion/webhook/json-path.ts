import { JSONPathEnvironment, JSONPathNode, jsonpath } from 'json-p3'
import type { JSONPathQuery, JSONValue } from 'json-p3'

import { PAYLOAD_TOO_LARGE } from '../../../lib/errors.js'

const { FilterQuery, FunctionExtension, InfixExpression, LogicalExpression, PrefixExpression, RootQuery } =
  jsonpath.expressions
const { BooleanLiteral, NullLiteral, NumberLiteral, StringLiteral } = jsonpath.expressions
const { FilterSelector, IndexSelector, NameSelector } = jsonpath.selectors

type Expression = InstanceType<typeof jsonpath.expressions.FilterExpression>
type Selector = InstanceType<typeof jsonpath.JSONPathSelector>

/** The JSONPath steps that are left for one delivery. A path spends one step per node that it visits. */
export interface Work {
  left: number
}

export interface Path {
  /** Whether the path matches at most one value. */
  single: boolean
  /** Yields the matches. Throws `PAYLOAD_TOO_LARGE` when the budget is spent. */
  find(value: unknown, work: Work): Iterable<JSONPathNode>
}

interface Step {
  selector: Selector
  /** Steps per element of the value that the selector reads. */
  cost: number
}

const FUNCTIONS = ['length', 'count', 'value']
const LITERALS = [BooleanLiteral, NullLiteral, NumberLiteral, StringLiteral]
const LOGICAL_OPERATORS = ['&&', '||']

const environment = new JSONPathEnvironment()
// Removes match() and search(), whose regular expressions can take exponential time.
for (const name of [...environment.functionRegister.keys()]) {
  if (!FUNCTIONS.includes(name)) environment.functionRegister.delete(name)
}

/**
 * Compiles a JSONPath (RFC 9535) of the subset whose cost can be bounded: without `..`, with one selector in each pair
 * of brackets, and with filters that compare single values of the element with constants. Throws a TypeError with a
 * message for its author if the path is not of this subset.
 */
export function compilePath (text: string): Path {
  let query: JSONPathQuery
  try {
    query = environment.compile(text)
  } catch {
    // The parser's message quotes the path, so it is dropped.
    throw new TypeError('must be a JSONPath (RFC 9535), without match() and search()')
  }
  const steps = query.segments.map(stepOf)
  return {
    single: query.singularQuery(),
    find (value, work) {
      let nodes: Iterable<JSONPathNode> = [new JSONPathNode(value as JSONValue, [], value as JSONValue)]
      for (const step of steps) nodes = select(nodes, step, work)
      return nodes
    }
  }
}

function * select (nodes: Iterable<JSONPathNode>, { selector, cost }: Step, work: Work): Iterable<JSONPathNode> {
  for (const node of nodes) {
    work.left -= 1 + (cost === 0 ? 0 : cost * widthOf(node.value))
    if (work.left < 0) throw new PAYLOAD_TOO_LARGE({ message: 'The body has too many parts for its mapping' })
    yield * selector.resolve(node)
  }
}

function widthOf (value: unknown): number {
  if (Array.isArray(value)) return value.length
  return typeof value === 'object' && value !== null ? Object.keys(value).length : 0
}

function stepOf (segment: JSONPathQuery['segments'][number]): Step {
  const [selector, ...others] = segment.selectors
  if (selector === undefined || others.length > 0 || segment.toString().startsWith('..')) {
    throw new TypeError('must be a JSONPath without .. and with one selector in each pair of brackets')
  }
  if (selector instanceof NameSelector || selector instanceof IndexSelector) return { selector, cost: 0 }
  return { selector, cost: selector instanceof FilterSelector ? 1 + costOf(selector.expression) : 1 }
}

/** Returns the steps of a filter per element. */
function costOf (expression: Expression): number {
  if (expression instanceof LogicalExpression) return costOf(expression.expression)
  if (expression instanceof PrefixExpression) return costOf(expression.right)
  if (expression instanceof FunctionExtension) return 1 + costsOf(expression.args)
  if (expression instanceof InfixExpression) {
    const { operator, left, right } = expression
    if (!LOGICAL_OPERATORS.includes(operator) && !isLiteral(left) && !isLiteral(right)) {
      throw new TypeError('must be a JSONPath whose filters compare with constants')
    }
    return 1 + costsOf([left, right])
  }
  if (!(expression instanceof FilterQuery)) return 0
  // A query of the whole body would run once per element.
  if (expression instanceof RootQuery || !expression.path.singularQuery()) {
    throw new TypeError('must be a JSONPath whose filters read only single values of @')
  }
  return 1 + expression.path.segments.length
}

function costsOf (expressions: readonly Expression[]): number {
  return expressions.reduce((cost, expression) => cost + costOf(expression), 0)
}

function isLiteral (expression: Expression): boolean {
  return LITERALS.some((literal) => expression instanceof literal)
}
