import { statementsOf } from './documents.ts';
import { isOfFleet, type Rule } from './rule.ts';

/** In small letters: IAM ignores the case of actions. */
const LAUNCHING: ReadonlySet<string> = new Set([
  'ec2:runinstances',
  'ec2:runscheduledinstances',
  'ec2:requestspotinstances',
  'ec2:requestspotfleet',
  'ec2:createfleet',
  'autoscaling:createautoscalinggroup',
  'autoscaling:updateautoscalinggroup',
  'autoscaling:launchinstances',
  'iam:passrole',
]);

/** Only the group launches instances. The credentials of a worker or the orchestrator give no machine and no other role. */
export const noLaunching: Rule = {
  name: 'no-launching',
  description: 'No role of a fleet may launch instances or pass roles.',
  check: (resource) =>
    isOfFleet(resource)
      ? statementsOf(resource)
          .filter(({ effect }) => effect === 'Allow')
          .flatMap(({ where, actions }) =>
            actions
              .filter((action) => LAUNCHING.has(action.toLowerCase()))
              .map((action) => ({
                where,
                what: `It allows ${action}. This action gives access to other machines or other roles.`,
                remedy: 'Remove it. The Auto Scaling group launches the instances of a fleet.',
              })),
          )
      : [],
};
