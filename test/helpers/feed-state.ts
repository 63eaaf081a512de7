import { WebSocket } from 'undici'

/** Connects to a dxLink feed, shows it a token, and resolves with the state that the feed then sends. */
export async function feedState (feedPath: string, token: string): Promise<string> {
  const socket = new WebSocket(feedPath)
  const states: string[] = []
  try {
    return await new Promise((resolve, reject) => {
      socket.addEventListener('open', () => {
        socket.send(
          JSON.stringify({
            type: 'SETUP',
            channel: 0,
            version: '0.1-test',
            keepaliveTimeout: 60,
            acceptKeepaliveTimeout: 60
          })
        )
        socket.send(JSON.stringify({ type: 'AUTH', channel: 0, token }))
      })
      socket.addEventListener('message', ({ data }) => {
        const { type, state } = JSON.parse(String(data)) as { type: string, state: string }
        // The first state comes before the feed has read the token.
        if (type === 'AUTH_STATE' && states.push(state) === 2) resolve(state)
      })
      socket.addEventListener('error', () => reject(new Error('the feed cannot be reached')))
    })
  } finally {
    socket.close()
  }
}
