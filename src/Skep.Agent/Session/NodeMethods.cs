using Skep.Protocol.Node;
using Skep.Rpc;

namespace Skep.Agent.Session;

/// <summary>The calls between a node and the managers; node.proto has their messages.</summary>
public static class NodeMethods
{
    private const string Membership = "skep.v1.Membership";
    private const string Dispatcher = "skep.v1.Dispatcher";
    private const string Logs = "skep.v1.Logs";

    public static readonly RpcMethod<GetRootRequest, GetRootResponse> GetRoot = new(Membership, "GetRoot");
    public static readonly RpcMethod<EnrollRequest, EnrollResponse> Enroll = new(Membership, "Enroll");
    public static readonly RpcMethod<RenewRequest, EnrollResponse> Renew = new(Membership, "Renew");
    public static readonly RpcMethod<NodeMessage, ManagerMessage> Session = new(Dispatcher, "Session");
    public static readonly RpcMethod<LogRecords, PublishResponse> Publish = new(Logs, "Publish");
}
