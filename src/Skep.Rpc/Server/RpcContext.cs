using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;

namespace Skep.Rpc;

/// <summary>What a handler knows of its caller.</summary>
public sealed class RpcContext(HttpContext http)
{
    public HttpContext HttpContext => http;

    /// <summary>The caller's certificate as TLS took it; null over clear text or when none was shown.</summary>
    public X509Certificate2? ClientCertificate => http.Connection.ClientCertificate;

    /// <summary>The caller's address; <see cref="IPAddress.None"/> on a unix socket.</summary>
    public IPAddress RemoteAddress => http.Connection.RemoteIpAddress ?? IPAddress.None;

    /// <summary>Cancelled when the caller gives up or its connection is lost.</summary>
    public CancellationToken CancellationToken => http.RequestAborted;
}
