using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Skep.Agent.Images.Registry;

/// <summary>
/// Answers a registry's challenges for one repository: basic credentials, or a bearer token from the token server that the
/// challenge names (distribution specification, token authentication). Credentials and tokens are kept in memory only.
/// </summary>
internal sealed class RegistryAuthorizer(RegistryEndpoint endpoint, string repository, RegistryCredentials? credentials) : IDisposable
{
    private const int LongestToken = 256 * 1024;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private volatile AuthenticationHeaderValue? _header = string.IsNullOrEmpty(credentials?.RegistryToken)
        ? null
        : new AuthenticationHeaderValue("Bearer", credentials.RegistryToken);

    /// <summary>Sent with requests to the registry; null until it asks for one.</summary>
    public AuthenticationHeaderValue? Header => _header;

    public bool HasCredentials => credentials is not null
        && (!string.IsNullOrEmpty(credentials.Username) || !string.IsNullOrEmpty(credentials.IdentityToken)
            || !string.IsNullOrEmpty(credentials.RegistryToken));

    /// <summary>Gets a new header after a 401. <paramref name="used"/> is the one that was refused: when another request has already renewed it, nothing is asked.</summary>
    public async Task RenewAsync(HttpResponseMessage refused, AuthenticationHeaderValue? used, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (!ReferenceEquals(used, _header))
            {
                return;
            }
            var challenges = refused.Headers.NonValidated.TryGetValues("WWW-Authenticate", out var values)
                ? values.SelectMany(AuthenticationChallenge.Parse).ToList()
                : [];
            if (challenges.Find(challenge => challenge.IsBearer) is { } bearer)
            {
                _header = new AuthenticationHeaderValue("Bearer", await TokenAsync(bearer, cancellationToken));
            }
            else if (challenges.Exists(challenge => challenge.IsBasic))
            {
                _header = Basic(refused, alreadyTried: used is not null);
            }
            else
            {
                throw await RegistryErrors.ReadAsync(refused, HasCredentials, cancellationToken);
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();

    private AuthenticationHeaderValue Basic(HttpResponseMessage refused, bool alreadyTried)
    {
        if (alreadyTried)
        {
            throw new RegistryException(HttpStatusCode.Unauthorized, "UNAUTHORIZED", "authentication required", HasCredentials);
        }
        return BasicHeader() ?? throw new RegistryException(
            HttpStatusCode.Unauthorized,
            "NO_BASIC_CREDENTIALS",
            $"{refused.RequestMessage?.Method} \"{refused.RequestMessage?.RequestUri}\": no basic auth credentials",
            hadCredentials: false);
    }

    private AuthenticationHeaderValue? BasicHeader() => string.IsNullOrEmpty(credentials?.Username)
        ? null
        : new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credentials.Username}:{credentials.Password}")));

    private async Task<string> TokenAsync(AuthenticationChallenge challenge, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(challenge.Get("realm"), UriKind.Absolute, out var realm) || realm.Scheme is not ("https" or "http"))
        {
            throw new RegistryException(HttpStatusCode.Unauthorized, "", "the registry names no token server that can be asked", HasCredentials);
        }
        if (realm.Scheme == "http" && HasCredentials && !endpoint.Insecure)
        {
            throw new RegistryException(
                HttpStatusCode.Unauthorized, "", $"the token server {realm.GetLeftPart(UriPartial.Authority)} would get the password in clear text", true);
        }
        using var request = TokenRequest(realm, challenge.Get("service"), challenge.Get("scope") ?? $"repository:{repository}:pull");
        using var response = await endpoint.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            throw await RefusalAsync(response, cancellationToken);
        }
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        try
        {
            var answer = JsonSerializer.Deserialize((await BoundedBody.ReadAsync(body, LongestToken, cancellationToken)).Span, RegistryJson.Default.TokenAnswer);
            return answer?.Token ?? answer?.AccessToken ?? throw new InvalidDataException("it holds no token");
        }
        catch (Exception e) when (e is JsonException or InvalidDataException)
        {
            throw new RegistryException(HttpStatusCode.BadGateway, "", $"the token server's answer cannot be used: {e.Message}", HasCredentials);
        }
    }

    private async Task<RegistryException> RefusalAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden && HasCredentials)
        {
            return new RegistryException(HttpStatusCode.Unauthorized, "UNAUTHORIZED", "incorrect username or password", true);
        }
        return await RegistryErrors.ReadAsync(response, HasCredentials, cancellationToken);
    }

    private HttpRequestMessage TokenRequest(Uri realm, string? service, string scope)
    {
        if (!string.IsNullOrEmpty(credentials?.IdentityToken))
        {
            return new HttpRequestMessage(HttpMethod.Post, realm)
            {
                Content = new FormUrlEncodedContent(
                [
                    new("grant_type", "refresh_token"),
                    new("service", service ?? ""),
                    new("client_id", "skep"),
                    new("scope", scope),
                    new("refresh_token", credentials.IdentityToken),
                ]),
            };
        }
        var query = new StringBuilder(realm.Query.Length == 0 ? "?" : realm.Query + "&");
        query.Append("scope=").Append(Uri.EscapeDataString(scope));
        if (!string.IsNullOrEmpty(service))
        {
            query.Append("&service=").Append(Uri.EscapeDataString(service));
        }
        if (!string.IsNullOrEmpty(credentials?.Username))
        {
            query.Append("&account=").Append(Uri.EscapeDataString(credentials.Username));
        }
        return new HttpRequestMessage(HttpMethod.Get, new Uri(realm, query.ToString())) { Headers = { Authorization = BasicHeader() } };
    }
}
