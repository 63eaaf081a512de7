import { randomBytes, randomUUID } from 'node:crypto'

export const PIPELINE_KEY = `dk_live_${'0123456789ABCDEFGHIJKLMNOPQRSTUV'}`
export const SERVER_SECRET = 'the secret of the source that is measured'

/** A track event of about 500 bytes, typical for the server of a shop. */
export const EVENT = JSON.stringify({
  type: 'track',
  event: 'Order Completed',
  userId: 'user_8f14e45fceea167a',
  timestamp: '2026-01-15T12:00:00.000Z',
  properties: {
    order_id: 'ord_5f2b1c9d7e',
    total: 149.97,
    currency: 'EUR',
    coupon: 'WINTER',
    shipping: 'express',
    products: [
      { sku: 'SKU-1041', name: 'Enamel mug', price: 19.99, quantity: 3 },
      { sku: 'SKU-2210', name: 'Wool blanket', price: 90, quantity: 1 }
    ]
  },
  context: { library: { name: 'bench', version: '1.0.0' }, locale: 'de-DE', timezone: 'Europe/Berlin' }
})

/** A batch of such events, each with a random id like the events of an SDK. */
export function batchBody (events: number): string {
  const rest = EVENT.slice(1)
  return `{"batch":[${Array.from({ length: events }, () => `{"messageId":"${randomUUID()}",${rest}`).join(',')}]}`
}

/** Lua for wrk that creates batches of such events, each event with an id that is sent once. */
export function newBatches (events: number): string {
  return `
local run, counter, rest = "${randomBytes(4).toString('hex')}", 0, [==[",${EVENT.slice(1)}]==]
function request()
  local events = {}
  for at = 1, ${events} do
    counter = counter + 1
    events[at] = '{"messageId":"' .. run .. string.format("-0000-4000-8000-%012x", counter) .. rest
  end
  return wrk.format(nil, nil, nil, '{"batch":[' .. table.concat(events, ",") .. "]}")
end
`
}
