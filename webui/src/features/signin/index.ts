/** What other features may use of this one. */
export { default as SignInAgain } from "./SignInAgain.vue";
