export { keepToken } from './keep-token'
