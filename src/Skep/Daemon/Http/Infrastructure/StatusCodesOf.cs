using System.Diagnostics;
using Skep.Model.Errors;

namespace Skep.Daemon.Http.Infrastructure;

/// <summary>The one mapping from refusals to HTTP.</summary>
internal static class StatusCodesOf
{
    public static int Http(ErrorKind kind) => kind switch
    {
        ErrorKind.InvalidArgument => 400,
        ErrorKind.FailedPrecondition => 400,
        ErrorKind.Unauthorized => 401,
        ErrorKind.Forbidden => 403,
        ErrorKind.NotFound => 404,
        ErrorKind.Conflict => 409,
        // Swarm's store answers so, and clients know it by its text.
        ErrorKind.OutOfSequence => 500,
        ErrorKind.NotImplemented => 501,
        ErrorKind.Unavailable => 503,
        ErrorKind.DeadlineExceeded => 500,
        ErrorKind.Internal => 500,
        _ => throw new UnreachableException($"No HTTP status for {kind}."),
    };
}
