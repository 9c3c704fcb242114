using Skep.Daemon.Http.Infrastructure;
using Skep.Daemon.Swarm;
using Skep.Model.Errors;
using Skep.Model.Rules;
using Skep.Rpc;

namespace Skep.UnitTests.Architecture;

public sealed class ErrorMappingTests
{
    private static readonly (ErrorKind Kind, int Http, RpcStatusCode Rpc)[] s_table =
    [
        (ErrorKind.InvalidArgument, 400, RpcStatusCode.InvalidArgument),
        (ErrorKind.FailedPrecondition, 400, RpcStatusCode.FailedPrecondition),
        (ErrorKind.Unauthorized, 401, RpcStatusCode.Unauthenticated),
        (ErrorKind.Forbidden, 403, RpcStatusCode.PermissionDenied),
        (ErrorKind.NotFound, 404, RpcStatusCode.NotFound),
        (ErrorKind.Conflict, 409, RpcStatusCode.AlreadyExists),
        (ErrorKind.OutOfSequence, 500, RpcStatusCode.Aborted),
        (ErrorKind.NotImplemented, 501, RpcStatusCode.Unimplemented),
        (ErrorKind.Unavailable, 503, RpcStatusCode.Unavailable),
        (ErrorKind.DeadlineExceeded, 500, RpcStatusCode.DeadlineExceeded),
        (ErrorKind.Internal, 500, RpcStatusCode.Internal),
    ];

    [Fact]
    public void Every_kind_has_its_status_at_both_edges_and_comes_back_over_the_wire_as_it_was()
    {
        Assert.Equal(Enum.GetValues<ErrorKind>(), s_table.Select(r => r.Kind));
        foreach (var (kind, http, rpc) in s_table)
        {
            Assert.Equal((kind, http, rpc), (kind, StatusCodesOf.Http(kind), RpcErrors.CodeOf(kind)));
            var sent = RpcErrors.FromAny(new ClusterException(kind, "a sentence"))!;
            var back = RpcErrors.ToCluster(sent);
            Assert.Equal((kind, "a sentence"), (back.Kind, back.Message));
            Assert.StartsWith("rpc error: code = ", RpcText.Refusal(kind, "x").Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_is_no_refusal_is_not_told_to_others() => Assert.Null(RpcErrors.FromAny(new InvalidOperationException("a secret")));
}
