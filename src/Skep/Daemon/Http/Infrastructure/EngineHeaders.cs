using Skep.Model.Errors;

namespace Skep.Daemon.Http.Infrastructure;

/// <summary>Puts the daemon's headers on every answer and takes the version off the path before routing.</summary>
internal sealed class EngineHeaders(EngineIdentity identity)
{
    private readonly string _server = $"Skep/{identity.Version} (linux)";
    private readonly string _newest = ApiVersion.Newest.ToString();

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var headers = context.Response.Headers;
        headers.Server = _server;
        headers["Api-Version"] = _newest;
        headers["Ostype"] = "linux";
        headers["Docker-Experimental"] = "false";

        var version = ApiVersion.Newest;
        if (ApiVersion.TrySplit(context.Request.Path.Value ?? "/", out var asked, out var rest))
        {
            version = asked;
            context.Request.Path = rest;
        }

        if (version < ApiVersion.Least)
        {
            throw ClusterException.Invalid(
                $"client version {version} is too old. Minimum supported API version is {ApiVersion.Least}, please upgrade your client to a newer version");
        }

        if (version > ApiVersion.Newest)
        {
            throw ClusterException.Invalid($"client version {version} is too new. Maximum supported API version is {ApiVersion.Newest}");
        }

        context.Features.Set(new ApiVersionFeature(version));
        context.Request.Path = SlashedNames.Fold(context.Request.Path.Value ?? "/");
        return next(context);
    }
}

internal sealed record ApiVersionFeature(ApiVersion Version);
