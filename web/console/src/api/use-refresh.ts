import { useEffect, useRef } from 'preact/hooks'

/** Calls `reload` regularly while the page is visible, and at once when it is visible again after a longer time. */
export function useRefresh (reload: () => void, milliseconds: number): void {
  const latest = useRef(reload)
  latest.current = reload
  useEffect(() => {
    let last = Date.now()
    const refresh = () => {
      if (document.visibilityState !== 'visible' || Date.now() - last < milliseconds) return
      last = Date.now()
      latest.current()
    }
    const timer = setInterval(refresh, milliseconds)
    document.addEventListener('visibilitychange', refresh)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', refresh)
    }
  }, [milliseconds])
}
