/** The address of the service where no option names another one, as the core has it in `DEFAULT_BASE_URL`. */
export const SERVICE = 'https://api.lemondata.cc';
