/** The addresses of the service, which the command line of the package knows, too. */

export { servicesOf } from '../../js/cli/services.js';
