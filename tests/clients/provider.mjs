// A real OpenID provider on loopback: access tokens are JWTs for one resource (RFC 9068), by client_credentials.
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const audience = process.argv[2];
const pairs = [
  ['es256', 'ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ['rs256', 'RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
];
const keys = pairs.map(([kid, alg, pair]) => ({ ...pair.privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' }));

const server = createServer((request, response) => handler(request, response));
let handler;
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const client = (client_id) => ({
    client_id,
    client_secret: 'a-secret-for-a-test-alone',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  });
  const provider = new Provider(issuer, {
    jwks: { keys },
    clients: [client('agent'), client('stranger')],
    features: {
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: (context, resource) => ({
          scope: 'api',
          audience: resource,
          accessTokenTTL: 300,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: context.get('x-alg') || 'ES256' } },
        }),
      },
    },
    extraTokenClaims: () => ({ clearance: 'us:TOP SECRET', roles: ['officer'] }),
  });
  handler = provider.callback();
  process.stdout.write(`${issuer}\n`);
});
