using System.Diagnostics;
using Skep.Model.Errors;

namespace Skep.Model.Rules;

/// <summary>
/// Refusals of the cluster's managers, as Swarm words them: scripts match on <c>rpc error: code = … desc = …</c>, so it stays although
/// there is no call in between.
/// </summary>
public static class RpcText
{
    public static ClusterException Refusal(ErrorKind kind, string text) => new(kind, $"rpc error: code = {Code(kind)} desc = {text}");

    public static ClusterException Invalid(string text) => Refusal(ErrorKind.InvalidArgument, text);

    public static ClusterException Precondition(string text) => Refusal(ErrorKind.FailedPrecondition, text);

    public static ClusterException Unimplemented(string text) => Refusal(ErrorKind.NotImplemented, text);

    private static string Code(ErrorKind kind) => kind switch
    {
        ErrorKind.InvalidArgument => "InvalidArgument",
        ErrorKind.FailedPrecondition => "FailedPrecondition",
        ErrorKind.Unauthorized => "Unauthenticated",
        ErrorKind.Forbidden => "PermissionDenied",
        ErrorKind.NotFound => "NotFound",
        ErrorKind.Conflict => "AlreadyExists",
        ErrorKind.OutOfSequence => "Unknown",
        ErrorKind.NotImplemented => "Unimplemented",
        ErrorKind.Unavailable => "Unavailable",
        ErrorKind.DeadlineExceeded => "DeadlineExceeded",
        ErrorKind.Internal => "Internal",
        _ => throw new UnreachableException($"No code for {kind}."),
    };
}
